"""Partial spoofs from splicing to metrics: spoof-splice, cm-train, cm-localize."""

import sys

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table

TRAINING = [
    "--network=senet9",
    "--channels=2",
    "--objective=frame_labels",
    "--chunk-frames=60",
    "--batch-size=4",
    "--num-epochs=1",
    "--loss=cross_entropy",
    "--device=cpu",
]


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Four speakers with two utterances, the second of which is noise, a spoof."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for spk in range(4):
        for n, attack in enumerate(["bonafide", "A01"]):
            utt = f"s{spk}-{n}"
            samples = 0.1 * rng.standard_normal(16000)
            if attack == "bonafide":
                samples = 0.3 * np.sin(0.1 * (1 + spk) * np.arange(16000)) + samples / 9
            soundfile.write(f"{utt}.wav", samples, 16000)
            custom = {"attack": attack}
            row = (utt, f"s{spk}", f"{utt}.wav", False, 0.0, 1.0, 0, 16000)
            utterances.append(Utterance(*row, custom=custom))
    write_utterances("data", utterances)


@pytest.fixture
def trained(corpus):
    """Features of spliced utterances, and a network that has seen their frames."""
    assert main(["spoof-splice", "--max-sec=0.4", "data", "spliced", "wav"]) == 0
    assert main(["feats-compute", "--type=fbank", "spliced", "exp/feats"]) == 0
    assert main(["cm-train", *TRAINING, "spliced", "spliced", "exp/cm"]) == 0


def test_frames_get_scores_without_k2(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "k2", None)
    options = ["--decode=false", "--device=cpu"]
    assert main(["cm-localize", *options, "spliced", "exp/cm", "exp/out"]) == 0
    num_frames = read_table("spliced/utt2num_frames")
    scores = dict(read_arrays("scp:exp/out/frames.scp"))
    assert {utt: str(len(x)) for utt, x in scores.items()} == num_frames
    assert len(np.unique(scores["s0-0-spliced"])) > 3


def test_without_k2_it_is_said_before_anything_is_computed(
    trained, monkeypatch, capsys, tmp_path
):
    monkeypatch.setitem(sys.modules, "k2", None)
    assert main(["cm-localize", "spliced", "exp/cm", "exp/out"]) == 1
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "asdkit cm-localize: error: k2 is not installed"
    assert "tools/setup.sh --k2" in hint
    assert not (tmp_path / "exp" / "out").exists()


def test_frames_need_stored_features_of_partial_spoofs(corpus, capsys):
    assert main(["feats-compute", "--type=fbank", "data", "exp/feats"]) == 0
    assert main(["cm-train", *TRAINING, "data", "data", "exp/cm"]) == 1
    assert "no utterance is partially spoofed" in capsys.readouterr().err
    computed = [*TRAINING, "--features=fbank"]
    assert main(["cm-train", *computed, "data", "data", "exp/cm"]) == 1
    assert "frame_labels needs stored features" in capsys.readouterr().err


def test_what_is_tuned_is_taken_and_rated_without_k2(trained, monkeypatch, capsys):
    """From scores of frames to a table: a grid, its best point, decisions, metrics."""
    monkeypatch.setitem(sys.modules, "k2", None)
    options = ["--decode=false", "--device=cpu"]
    assert main(["cm-localize", *options, "spliced", "exp/cm", "exp/dev"]) == 0
    capsys.readouterr()
    with open("grid.conf", "w") as stream:
        stream.write("--threshold=-1,0,1\n--filter-sec=0.05,0.15  # two\n")
    options = ["--method=median", "--config=grid.conf"]
    scores = "exp/dev/frames.scp"
    assert main(["localizer-tune", *options, "spliced", scores, "exp/best.conf"]) == 0
    head, first, *others = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["filter-sec", "threshold"]
    assert len(others) == 5
    with open("exp/best.conf") as stream:
        lines = stream.read().splitlines()
    assert lines[0].startswith("--method=median  # f1 ")
    assert [line.partition("=")[2] for line in lines[1:]] == first.split()[:2]
    options = ["--config=exp/best.conf"]
    assert main(["cm-localize", *options, "spliced", scores, "exp/median"]) == 0
    assert main(["segment-metrics", "spliced", "exp/median"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "localized"
    assert row.split()[3:] == first.split()[4:]  # precision, recall, F1, utterances


def test_a_grid_of_acceptors_without_k2_is_one_line(trained, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "k2", None)
    options = ["--decode=false", "--device=cpu"]
    assert main(["cm-localize", *options, "spliced", "exp/cm", "exp/dev"]) == 0
    grid = ["--change-cost=1,2", "spliced", "exp/dev/frames.scp", "exp/best.conf"]
    assert main(["localizer-tune", *grid]) == 1
    *_, error, hint = capsys.readouterr().err.splitlines()
    assert error == "asdkit localizer-tune: error: k2 is not installed"
    assert "tools/setup.sh --k2" in hint
    assert main(["localizer-tune", "--method=median", *grid]) == 1
    assert "--change-cost: --method median has no such" in capsys.readouterr().err
