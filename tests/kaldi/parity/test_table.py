import numpy as np
import pytest

from asdkit.base.answers import as_text
from asdkit.base.errors import DataError
from asdkit.kaldi.parity.table import (
    IDENTICAL,
    Difference,
    Finding,
    Limit,
    Row,
    differ,
    largest,
    parity_tables,
)


def test_differences_are_absolute_and_relative_to_a_scale():
    ours, theirs = np.array([1.0, 11.0]), np.array([1.5, 10.0])
    assert differ(ours, theirs) == (1.0, 0.1)
    assert differ(ours, theirs, theirs) == (1.0, pytest.approx(1 / 3))
    assert differ(ours, ours) == (0, 0)
    assert differ(np.zeros(0), np.zeros(0)) == (0, 0)


def test_other_shapes_and_nan_are_never_allowed():
    limit = Limit(1e9, "abs")
    assert limit.allows(Difference(1.0, 1.0))
    assert not limit.allows(differ(np.ones(2), np.ones(3)))
    with_nan = differ(np.array([np.nan, 1.0]), np.ones(2))
    assert not limit.allows(with_nan)
    assert not limit.allows(largest([with_nan, Difference()], "file"))
    assert not limit.allows(largest([Difference(), with_nan], "file"))


def test_identical_allows_nothing():
    assert IDENTICAL.allows(Difference())
    assert not IDENTICAL.allows(Difference(1e-300, 0.0))
    assert str(IDENTICAL) == "identical"


def test_nothing_compared_is_no_agreement():
    with pytest.raises(DataError, match=r"post\.gz: nothing of it can be compared"):
        largest([], "post.gz")


def test_the_table_has_sections_aligned_columns_and_a_summary():
    ok = Finding("a.ark", Difference(1e-4, 2e-5), Limit(1e-3, "abs"), "psi")
    bad = Finding("b.ark", Difference(0.5, 0.0), IDENTICAL)
    rows = [
        Row("one", "first", "ok", ok),
        Row("one", "second", "differs", bad),
        Row("two", "third", "not found", note="c.ark"),
    ]
    lines = as_text(parity_tables("title", rows)).splitlines()
    assert lines[:3] == ["title", "", "one"]
    assert lines[3].startswith("stage")
    body = [line for line in lines if line.endswith(("ok", "differs", "not found"))][:3]
    assert len({len(line) for line in (lines[3], *body[:2])}) == 1  # to the right
    assert " ".join(body[0].split()) == "first: psi a.ark 1.0e-04 2.0e-05 1e-03 abs ok"
    assert " ".join(body[1].split()) == "second b.ark 5.0e-01 0 identical differs"
    assert lines.index("two") == lines.index("one") + 5
    assert lines[-2:] == [
        "1 ok, 1 differs, 1 not found",
        "  two, third: not found: c.ark",
    ]
