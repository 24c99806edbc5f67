"""A grid of options of a localizer, its best point, and what it is worth."""

import sys

from asdkit.__main__ import main


def test_what_is_tuned_is_taken_and_rated_without_k2(
    frame_network, monkeypatch, capsys
):
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


def test_a_grid_of_acceptors_without_k2_is_one_line(frame_network, monkeypatch, capsys):
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
