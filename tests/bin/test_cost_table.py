"""What programs leave of their cost, and the program cost-table."""

import argparse
import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

from asdkit.__main__ import is_metered, main, programs
from asdkit.io.run_costs import read_run_costs


def test_training_and_extraction_leave_what_they_cost(
    noise_corpus, small_training, capsys
):
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 0
    for _ in range(2):
        assert main(["nnet-extract", "data/train", "exp/net", "exp/net/train"]) == 0
    (training,) = read_run_costs("exp/net")
    assert training["program"] == "nnet-train"
    assert training["output"] == "exp/net"
    assert {"command", "commit", "host", "time"} <= training.keys()
    assert training["cpu_sec"] > 0
    assert training["wall_sec"] > 0
    assert training["peak_mb"] > 100
    assert len(read_run_costs("exp/net/train")) == 2

    capsys.readouterr()
    options = ["--by-program", "true", "--core-watt", "3600"]
    assert main(["cost-table", *options, "exp/net"]) == 0
    _, first, second, note = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["exp/net", "nnet-train", "1"]
    assert second.split()[:3] == ["exp/net", "nnet-extract", "2"]
    wh = float(first.split()[-3])
    if not training["energy_counted"]:
        np.testing.assert_allclose(wh, training["cpu_sec"], atol=1e-3)
        assert "3600 W x CPU s" in note


# What takes a while, or learns something; the rest converts, lists or prints.
METERED = [
    "backend-adapt",
    "backend-score",
    "backend-train",
    "calibration-train",
    "cm-attack",
    "cm-classifier-score",
    "cm-classifier-train",
    "cm-gmm-train",
    "cm-localize",
    "cm-score",
    "cm-train",
    "codec-apply",
    "feats-compute",
    "ivector-extract",
    "ivector-train",
    "localizer-tune",
    "nnet-extract",
    "nnet-train",
    "noise-add",
    "room-apply",
    "score-calibrate",
    "score-fuse",
    "score-normalize",
    "speakers-draw",
    "spoof-simulate",
    "spoof-splice",
    "ssl-extract",
    "stats-extract",
    "tandem-fuse",
    "ubm-train",
    "vad-compute",
]


@pytest.mark.parametrize("name", METERED)
def test_a_metered_program_ends_its_arguments_with_its_output(name):
    """The cost is left beside what the last of them names."""
    assert is_metered(name)
    parser = argparse.ArgumentParser()
    importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}").add_arguments(
        parser
    )
    last = [x for x in parser._actions if not x.option_strings][-1]
    assert last.help.startswith("where to write")
    assert last.nargs is None


def test_no_program_that_trains_or_extracts_is_forgotten():
    metered = {name for name in programs() if is_metered(name)}
    assert metered >= {*METERED}
    verbs = {name.rpartition("-")[2] for name in {*programs()} - metered}
    assert not verbs & {"train", "extract", "compute", "score", "adapt", "fuse"}


@pytest.mark.slow
def test_ranks_leave_one_line_of_what_all_have_cost(noise_corpus, small_training):
    launcher = "-m torch.distributed.run --standalone --nproc-per-node 2 -m asdkit"
    for command in (
        ["nnet-train", *small_training, "data/train", "exp/net"],
        ["nnet-extract", "data/train", "exp/net", "exp/net/train"],
    ):
        done = subprocess.run(
            [sys.executable, *launcher.split(), *command],
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr[-2000:]
    for directory in ("exp/net", "exp/net/train"):
        (run,) = read_run_costs(directory)
        assert run["num_ranks"] == 2
        assert run["cpu_sec"] > 0
        assert run["peak_mb"] > 2 * 100


def test_a_run_that_fails_leaves_nothing(noise_corpus, small_training):
    assert main(["nnet-train", *small_training, "data/nobody", "exp/net"]) == 1
    assert main(["cost-table", "exp"]) == 1


def test_experiments_without_a_record_are_one_line(tmp_path, capsys):
    assert main(["cost-table", str(tmp_path)]) == 1
    assert "expected costs.jsonl in it or below, got none" in capsys.readouterr().err
