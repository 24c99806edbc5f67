"""Partial spoofs from splicing to metrics: spoof-splice, cm-train, cm-localize."""

import re
import sys
from pathlib import Path

import numpy as np

from asdkit.__main__ import main
from asdkit.data.frame_segments import frame_times
from asdkit.data.supervisions import read_supervisions, spoofed_parts
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table
from asdkit.segmentation.segments import segments_of


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


def test_a_report_draws_what_a_trained_localizer_found(frame_network):
    """Its table has the stretches of bonafide.scp, and those that were spliced in."""
    options = ["--method=median", "--device=cpu", "spliced", "exp/cm", "exp/out"]
    assert main(["cm-localize", *options]) == 0
    assert main(["report", "exp", "-o", "report.html"]) == 0
    page = Path("report.html").read_text()
    times = frame_times("spliced")
    known = read_supervisions("spliced")
    titles = re.findall(r"<h3>Spoofed stretches of ([^<]*)</h3>", page)
    assert len(titles) == 2
    paths = dict(read_arrays("scp:exp/out/bonafide.scp"))
    for utt in titles:
        item = known[utt]
        table = page.split(f"<caption>Spoofed stretches of {utt}</caption>")[1]
        rows = re.findall(
            r"<tr><th[^>]*>(spoofed|found)</th><td[^>]*>([\d.]+)</td><td[^>]*>([\d.]+)",
            table.split("</table>")[0],
        )
        found = [
            times.seconds(x, len(paths[utt]), item.duration)
            for x in segments_of(paths[utt] > 0)
            if not x.label
        ]
        expected = [("spoofed", *x) for x in spoofed_parts(item)]
        expected += [("found", *x) for x in found]
        assert rows == [(name, f"{a:.3f}", f"{b:.3f}") for name, a, b in expected]
        assert f"Above what is spoofed, below what {Path('exp/out')} found." in page
    assert page.count('href="data:image/png;base64,') == 2
