"""What programs leave of their cost, and the program cost-table."""

import numpy as np

from asdkit.__main__ import main
from asdkit.io.costs import read_costs


def test_training_and_extraction_leave_what_they_cost(
    noise_corpus, small_training, capsys
):
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 0
    for _ in range(2):
        assert main(["nnet-extract", "data/train", "exp/net", "exp/net/train"]) == 0
    (training,) = read_costs("exp/net")
    assert training["program"] == "nnet-train"
    assert training["output"] == "exp/net"
    assert {"command", "commit", "host", "time"} <= training.keys()
    assert training["cpu_sec"] > 0
    assert training["wall_sec"] > 0
    assert training["peak_mb"] > 100
    assert len(read_costs("exp/net/train")) == 2

    capsys.readouterr()
    options = ["--by-program", "true", "--core-watt", "3600"]
    assert main(["cost-table", *options, "exp/net"]) == 0
    _, first, second, note = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["exp/net", "nnet-train", "1"]
    assert second.split()[:3] == ["exp/net", "nnet-extract", "2"]
    wh = float(first.split()[-2])
    if training["energy_wh"] is None:
        np.testing.assert_allclose(wh, training["cpu_sec"], atol=1e-3)
    assert "3600 W x CPU s" in note


def test_a_run_that_fails_leaves_nothing(noise_corpus, small_training):
    assert main(["nnet-train", *small_training, "data/nobody", "exp/net"]) == 1
    assert main(["cost-table", "exp"]) == 1


def test_experiments_without_a_record_are_one_line(tmp_path, capsys):
    assert main(["cost-table", str(tmp_path)]) == 1
    assert "expected costs.jsonl in it or below, got none" in capsys.readouterr().err
