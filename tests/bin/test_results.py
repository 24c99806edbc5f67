"""What programs leave of their results, and the program results."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.io.run_results import read_results, sha256_of
from asdkit.metrics.eer import eer


@pytest.fixture
def scored(tmp_path, monkeypatch, rng):
    """Trials of 12 speakers, and scores."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("exp/net").mkdir(parents=True)
    pairs = [(m, n) for m in range(12) for n in range(12)]
    word = {True: "target", False: "nontarget"}
    trials = [f"s{m} u{n} {word[m == n]}\n" for m, n in pairs]
    Path("data/trials").write_text("".join(trials))
    x = np.array([2.0 * (m == n) + rng.normal() for m, n in pairs]).round(4)
    scores = [f"s{m} u{n} {v}\n" for (m, n), v in zip(pairs, x, strict=True)]
    Path("exp/net/scores").write_text("".join(scores))
    same = np.array([m == n for m, n in pairs])
    return x[same], x[~same]


def test_score_metrics_leaves_its_numbers_as_fractions(scored, capsys):
    command = ["score-metrics", "--bootstrap", "50", "data/trials", "exp/net/scores"]
    for _ in range(2):
        assert main(command) == 0
    ((key, entry),) = read_results("exp/net").items()
    assert key == "score-metrics scores kaldi ../../data/trials"
    found = {one["name"]: one for one in entry["metrics"]}
    assert found["EER"]["value"] == pytest.approx(eer(*scored), rel=1e-12)
    assert found["EER"]["interval"][0] <= found["EER"]["value"]
    assert found["target"]["value"] == 12
    (trials,) = entry["inputs"]["trials"]
    assert trials["sha256"] == sha256_of("data/trials")
    assert entry["options"] == {"flavor": "kaldi", "bootstrap": 50}

    capsys.readouterr()
    assert main(["results", "--csv", "exp"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(row["EER %"]) == pytest.approx(100 * eer(*scored))
    assert main(["results", "--markdown", "exp"]) == 0
    assert "| exp/net/scores |" in capsys.readouterr().out
    assert main(["results", "--json", "exp"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    assert table["rows"][0]["output"] == "exp/net/scores"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_scores_in_a_directory_that_is_read_only_are_measured(scored, capsys):
    os.chmod("exp/net", 0o500)
    assert main(["score-metrics", "data/trials", "exp/net/scores"]) == 0
    assert capsys.readouterr().err.count("WARNING") == 1


def test_scores_beside_a_damaged_file_are_measured(scored, capsys):
    Path("exp/net/results.json").write_text("{")
    assert main(["score-metrics", "data/trials", "exp/net/scores"]) == 0
    answer = capsys.readouterr()
    assert "EER %" in answer.out
    assert answer.err.count("WARNING") == 1


def test_a_directory_without_results_is_one_line(tmp_path, capsys):
    assert main(["results", str(tmp_path)]) == 1
    assert "expected results.json" in capsys.readouterr().err


def test_trainings_and_extractions_leave_theirs(noise_corpus, small_training):
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 0
    assert main(["nnet-extract", "data/train", "exp/net", "exp/net/train"]) == 0
    (training,) = read_results("exp/net").values()
    found = {one["name"]: one["value"] for one in training["metrics"]}
    assert found["parameters"] > 100
    assert found["MACs"] > 1000
    assert training["history"][-1].keys() >= {"loss", "step"}
    assert training["cost"]["cpu_sec"] > 0
    assert training["inputs"]["data_dir"] == [{"path": "../../data/train"}]
    (extraction,) = read_results("exp/net/train").values()
    assert extraction["inputs"]["net_dir"] == [{"path": ".."}]
