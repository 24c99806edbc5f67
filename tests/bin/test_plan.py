"""The program plan, on what a training has left."""

import json
import sys

import pytest

from asdkit.__main__ import main
from asdkit.models.networks import load_network
from asdkit.nnet.complexity import num_macs


@pytest.fixture
def trained(noise_corpus, small_training, monkeypatch):
    command = ["nnet-train", *small_training, "data/train", "exp/net"]
    monkeypatch.setattr(sys, "argv", ["asdkit", *command])  # what is recorded
    assert main(command) == 0


def test_a_training_is_planned_on_a_gpu(trained, capsys):
    capsys.readouterr()
    command = ["plan", "--json", "--gpu-tflops", "2", "exp"]
    assert main([*command, "--grow", "data/train", "5", "80"]) == 0
    ((row, total),) = (x["rows"] for x in json.loads(capsys.readouterr().out))
    assert row["data"] == "data/train"
    assert row["grows by"] == 2  # of 40 utterances
    assert row["planned CPU h"] == pytest.approx(2 * row["CPU s"] / 3600)
    trained = load_network("exp/net/network.pt")
    size, frames = 8, 30
    steps = 2 * trained.options["data"]["steps_per_epoch"]
    operations = 6 * num_macs(trained.network, frames) * size * steps
    assert row["planned GPU h"] == pytest.approx(2 * operations / 2e12 / 3600)
    assert total["planned GPU h"] == pytest.approx(row["planned GPU h"])


def test_what_cannot_be_planned_is_one_line(trained, capsys):
    assert main(["plan", "exp", "--grow", "data/dev", "5", "80"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].endswith("they took data/train")
