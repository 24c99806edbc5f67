"""Score files are found with their trials, and measured as score-metrics does."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.base.errors import AsdkitError
from asdkit.io.run_results import store_result
from asdkit.report.evaluations import evaluate, find_keys
from asdkit.report.lineage import Lineage


def found_in(directory="exp"):
    lineage = Lineage([directory])
    ((key, paths),) = find_keys(lineage).items()
    return evaluate(key, paths, lineage)


def test_numbers_are_those_of_score_metrics(measured, capsys):
    capsys.readouterr()
    assert main(["score-metrics", "--json", "data/test/trials", *measured]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    systems = {system.path: system for system in found_in().systems}
    for row in table["rows"]:
        values = systems[row["scores"]].values
        assert 100 * values["EER %"] == row["EER %"]
        for title in ("minDCF(0.01)", "Cllr", "minCllr"):
            assert values[title] == row[title]


def test_the_best_is_first_and_scores_are_in_the_order_of_trials(measured):
    found = found_in()
    assert [system.name for system in found.systems] == ["good", "bad"]
    lines = Path(measured[0]).read_text().splitlines()
    expected = [float(line.split()[2]) for line in lines]
    np.testing.assert_array_equal(found.systems[0].scores, expected)
    assert found.enroll[0] == lines[0].split()[0]


def test_trials_are_known_without_score_metrics(experiment):
    experiment("alone", 1.0)
    assert found_in().key.path.endswith("data/test/trials")


def test_normalized_scores_have_the_trials_of_those_they_were_made_of(experiment):
    scores = experiment("net", 1.0)
    for name, source in (("scores_norm", "scores"), ("llrs", "scores_norm")):
        shutil.copy(scores, f"exp/net/{name}")
        inputs = {"scores": [{"path": source}]}
        entry = {"program": "score-x", "output": name, "inputs": inputs}
        store_result(Path("exp/net"), name, entry | {"provenance": {}})
    names = [Path(system.path).name for system in found_in().systems]
    assert sorted(names) == ["llrs", "scores", "scores_norm"]


def test_a_broken_file_is_left_out_with_a_sentence(measured, caplog):
    Path(measured[1]).write_text("a b\n")
    with caplog.at_level(logging.WARNING):
        found = found_in()
    assert len(found.systems) == 1
    assert measured[1] in found.left_out[0]
    Path(measured[0]).unlink()
    with pytest.raises(AsdkitError):
        found_in()


def test_countermeasures_are_measured_by_their_flavor(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("exp").mkdir()
    attacks = ["bonafide", "A01", "A02"]
    utts = [f"u{n}" for n in range(60)]
    key = [f"{utt} {attacks[n % 3]}\n" for n, utt in enumerate(utts)]
    Path("data/utt2attack").write_text("".join(key))
    scores = [f"{utt} {rng.normal() - n % 3:.4f}\n" for n, utt in enumerate(utts)]
    Path("exp/scores").write_text("".join(scores))
    options = ["--flavor", "asvspoof2021"]
    assert main(["score-metrics", *options, "data/utt2attack", "exp/scores"]) == 0
    found = found_in()
    assert found.key.kind == "countermeasure"
    assert found.sorts == ("bonafide", "spoof")
    assert found.enroll is None
    assert found.speakers is None
    assert set(found.columns) >= {"attack", "codec"}
