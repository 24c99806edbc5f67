"""Partial spoofs from splicing to metrics: spoof-splice, cm-train, cm-localize."""

import sys

import numpy as np

from asdkit.__main__ import main
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table


def test_frames_get_scores_without_k2(frame_network, monkeypatch):
    monkeypatch.setitem(sys.modules, "k2", None)
    options = ["--decode=false", "--device=cpu"]
    assert main(["cm-localize", *options, "spliced", "exp/cm", "exp/out"]) == 0
    num_frames = read_table("spliced/utt2num_frames")
    scores = dict(read_arrays("scp:exp/out/frames.scp"))
    assert {utt: str(len(x)) for utt, x in scores.items()} == num_frames
    assert len(np.unique(scores["s0-0-spliced"])) > 3


def test_without_k2_it_is_said_before_anything_is_computed(
    frame_network, monkeypatch, capsys, tmp_path
):
    monkeypatch.setitem(sys.modules, "k2", None)
    assert main(["cm-localize", "spliced", "exp/cm", "exp/out"]) == 1
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "asdkit cm-localize: error: k2 is not installed"
    assert "tools/setup.sh --k2" in hint
    assert not (tmp_path / "exp" / "out").exists()


def test_frames_need_stored_features_of_partial_spoofs(
    one_attack, frame_training, capsys
):
    assert main(["feats-compute", "--type=fbank", "data", "exp/feats"]) == 0
    assert main(["cm-train", *frame_training, "data", "data", "exp/cm"]) == 1
    assert "no utterance is partially spoofed" in capsys.readouterr().err
    computed = [*frame_training, "--features=fbank"]
    assert main(["cm-train", *computed, "data", "data", "exp/cm"]) == 1
    assert "frame_labels needs stored features" in capsys.readouterr().err
