"""What is planned is what laws of growth say of the costs that runs have left."""

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.io.run_costs import append_run_cost
from asdkit.io.tables import write_table
from asdkit.report.planning import Growth, plan_table, read_growth

HOUR = 3600.0


@pytest.fixture
def recipe(tmp_path):
    """A recipe's directory with 1 h of 100 utterances to train on, and 0.5 h of 20."""
    for name, hours, utts in (("train", 1.0, 100), ("test", 0.5, 20)):
        (tmp_path / "data" / name).mkdir(parents=True)
        durations = {f"{n}": f"{hours * HOUR / utts}" for n in range(utts)}
        write_table(tmp_path / "data" / name / "utt2dur", durations)
    return tmp_path


def leave(recipe, command, cpu_sec, num_bytes, peak_mb=100.0):
    """Leave what a program leaves: its cost, and an output of some size."""
    program, *words = command.split()
    output = recipe / words[-1]
    output.mkdir(parents=True)
    (output / "made").write_bytes(bytes(num_bytes))
    record = {"cpu_sec": cpu_sec, "peak_mb": peak_mb, "directory": str(recipe)}
    record |= {"program": program, "command": f"asdkit {command}"}
    append_run_cost(output, record | {"output": words[-1]})


def rows_of(table):
    """Read a table: output -> the values of the columns behind the names."""
    return {
        row[1] if isinstance(row[1], str) else row[1].value: [x.value for x in row[3:]]
        for row in table.rows[:-1]
    }


def test_hours_utterances_and_what_does_not_grow(recipe):
    leave(recipe, "ubm-train --num-gauss 8 data/train exp/ubm", 36.0, 1000)
    leave(recipe, "nnet-train --seed 0 data/train_fbank exp/net", 18.0, 2000, 900.0)
    leave(recipe, "nnet-extract data/test exp/net exp/net/test", 7.2, 4000)
    (recipe / "data" / "train_fbank").symlink_to(recipe / "data" / "train")
    table = plan_table([recipe / "exp"], [read_growth("data/train", "50", "300")])
    *rows, total = table.rows
    assert [row[0] for row in rows] == ["nnet-train", "nnet-extract", "ubm-train"]
    found = rows_of(table)
    assert found["exp/ubm"] == pytest.approx([50, 36.0, 0.5, 0.1, 1e-6])
    assert found["exp/net"] == pytest.approx([3, 18.0, 0.015, 0.9, 2e-6])
    assert found["exp/net/test"][:3] == pytest.approx([1, 7.2, 0.002])
    values = [x.value for x in total[4:]]
    assert values[:3] == pytest.approx([61.2, 0.517, 0.9])


def test_two_sizes_tell_start_up_from_work(recipe):
    for part, hours in (("train", 1.0), ("test", 0.5)):
        leave(recipe, f"feats-compute data/{part} exp/{part}", 2 + 10 * hours, 1000)
    found = rows_of(plan_table([recipe], [read_growth("data/train", "100", "5")]))
    assert found["exp/train"][2] == pytest.approx(1002 / HOUR)
    assert found["exp/train"][4] == pytest.approx(
        100 * 1e-6, rel=0.5
    )  # and costs.jsonl
    # Noise in the costs must not make a start-up below zero.
    leave(recipe, "vad-compute data/train exp/vad/train", 20.0, 1)
    leave(recipe, "vad-compute data/test exp/vad/test", 5.0, 1)
    found = rows_of(plan_table([recipe], [read_growth("data/train", "100", "5")]))
    rate = (20 * 1 + 5 * 0.5) / (1 + 0.25)
    assert found["exp/vad/train"][2] == pytest.approx(100 * rate / HOUR)


def test_a_run_again_counts_once(recipe):
    leave(recipe, "ubm-train data/train exp/ubm", 36.0, 1)
    again = {"cpu_sec": 72.0, "peak_mb": 1.0, "directory": str(recipe)}
    again |= {"program": "ubm-train", "command": "asdkit ubm-train data/train exp/ubm"}
    append_run_cost(recipe / "exp" / "ubm", again | {"output": "exp/ubm"})
    found = rows_of(plan_table([recipe], [read_growth("data/train", "2", "1")]))
    assert found["exp/ubm"][:3] == pytest.approx([2, 72.0, 0.04])


def test_what_was_not_run_cannot_grow(recipe):
    leave(recipe, "ubm-train data/train exp/ubm", 36.0, 1)
    growth = Growth("data/dev", read_growth("x", "1", "1").planned)
    with pytest.raises(AsdkitError, match="no run took the data directory data/dev"):
        plan_table([recipe], [growth])


@pytest.mark.parametrize("words", [("0", "1"), ("1", "-1"), ("nan", "1"), ("x", "1")])
def test_sizes_are_numbers_above_zero(words):
    with pytest.raises(AsdkitError, match="--grow data/x: expected hours and utter"):
        read_growth("data/x", *words)


def test_a_gpu_s_hours_are_three_passes_over_every_chunk(monkeypatch, recipe):
    operations = 2.0 * 3 * 1e9 * 64 * 5000
    monkeypatch.setattr(
        "asdkit.report.planning._training_operations", lambda run: operations
    )
    leave(recipe, "nnet-train data/train exp/net", 18.0, 1)
    table = plan_table([recipe], [read_growth("data/train", "1", "1000")], 50.0)
    expected = 10 * operations / 50e12 / HOUR
    assert rows_of(table)["exp/net"][-1] == pytest.approx(expected)
    np.testing.assert_allclose(table.rows[-1][-1].value, expected)
