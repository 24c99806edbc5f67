"""Tables of results, beside what numpy says of the same numbers."""

import numpy as np
import pytest

from asdkit.report.result_tables import over_seeds, seeds_of, table


def test_one_seed_has_no_deviation_and_several_have_that_of_a_sample():
    values = np.random.default_rng(0).uniform(1, 9, (3, 2))
    assert over_seeds(values[0]) == [f"{x:.2f}" for x in values[0]]
    for cell, column in zip(over_seeds(values, 3), values.T, strict=True):
        mean, deviation = map(float, cell.split(" ± "))
        assert mean == pytest.approx(column.mean(), abs=5e-4)
        squared = np.sum((column - column.mean()) ** 2) / 2
        assert deviation == pytest.approx(np.sqrt(squared), abs=5e-4)


def test_a_cell_is_empty_where_a_seed_has_no_number():
    assert over_seeds([[np.nan, 1.0], [2.0, 3.0]], 0) == ["", "2 ± 1"]


def test_a_row_that_is_too_short_is_not_set():
    with pytest.raises(AssertionError):
        table(["a", "b"], [["1"]])


def test_seeds_are_those_that_have_come_so_far(tmp_path):
    for name in ("b/seed1", "b/seed0", "a/seed0", "a/seed1"):
        (tmp_path / name).mkdir(parents=True)
        if name != "a/seed1":
            (tmp_path / name / "scores_eval").touch()
    found = seeds_of(tmp_path)
    assert list(found) == ["a", "b"]
    assert [path.name for path in found["b"]] == ["seed0", "seed1"]
    assert found["a"] == [tmp_path / "a" / "seed0"]
