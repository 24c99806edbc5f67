"""The program plot."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from asdkit.__main__ import main


def test_a_det_plot_is_written_or_the_cure_is_said(tmp_path, monkeypatch, capsys, rng):
    monkeypatch.chdir(tmp_path)
    pairs = [(m, n) for m in range(6) for n in range(6)]
    word = {True: "target", False: "nontarget"}
    key = [f"s{m} u{n} {word[m == n]}\n" for m, n in pairs]
    Path("trials").write_text("".join(key))
    scores = [f"s{m} u{n} {rng.normal() + (m == n)}\n" for m, n in pairs]
    Path("scores").write_text("".join(scores))
    command = ["plot", "det", "--trials", "trials", "scores", "-o", "det.svg"]
    if find_spec("matplotlib") is None:
        assert main(command) == 1
        assert "pip install 'asdkit[plot]'" in capsys.readouterr().err
        return
    assert main(command) == 0
    assert "<svg" in Path("det.svg").read_text()


def test_an_unknown_kind_is_wrong_usage(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["plot", "roc", "scores"])
    assert "choose from" in capsys.readouterr().err
