"""Rows of the parity report: what was compared, the difference, the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Literal, NamedTuple

import numpy as np

from asdkit.base.answers import Cell, Table
from asdkit.base.errors import DataError
from asdkit.io.tables import PathName

Verdict = Literal["ok", "differs", "not found"]
HEADS = ("stage", "Kaldi's file", "max abs", "max rel", "allowed", "verdict")


class Difference(NamedTuple):
    """The largest difference between our numbers and Kaldi's.

    Attributes:
        absolute: in the unit of the values.
        relative: relative to the scale of each value.
    """

    absolute: float = 0.0
    relative: float = 0.0

    def __or__(self, other: Difference) -> Difference:
        """Return the larger of both; NaN is larger than all."""
        return Difference(*np.maximum(self, other).tolist())


def largest(differences: Iterable[Difference], source: PathName) -> Difference:
    """Return the largest of at least one difference; NaN is larger than all.

    Raises:
        DataError: there was nothing to compare, which must not look like agreement.
    """
    found = list(differences)
    if not found:
        raise DataError(source, "nothing of it can be compared")
    return reduce(or_, found)


class Limit(NamedTuple):
    """The largest difference that is still rounding, not another algorithm."""

    value: float
    kind: Literal["abs", "rel"]

    def allows(self, difference: Difference) -> bool:
        """Tell whether a difference is within; NaN is not."""
        number = difference.absolute if self.kind == "abs" else difference.relative
        return number <= self.value

    def __str__(self) -> str:
        return f"{self.value:.0e} {self.kind}" if self.value else "identical"


IDENTICAL = Limit(0.0, "abs")


class Finding(NamedTuple):
    """The result of a stage for one file.

    Attributes:
        file: relative to the experiment.
        difference: of our numbers to those in it.
        limit: allowed difference.
        what: compared values, where a stage has several.
    """

    file: str
    difference: Difference
    limit: Limit
    what: str = ""


class Row(NamedTuple):
    """One line of the report; without a finding, the note gives the reason."""

    section: str
    stage: str
    verdict: Verdict
    finding: Finding | None = None
    note: str = ""


def differ(
    ours: np.ndarray | float,
    theirs: np.ndarray | float,
    scale: np.ndarray | float | None = None,
) -> Difference:
    """Compare two arrays.

    Args:
        ours: (...) any shape.
        theirs: (...) the same shape; any other makes the difference infinite.
        scale: (...) scale of relative differences, broadcast to that shape; None is the
            largest of Kaldi's values.

    Returns:
        the largest absolute and the largest relative difference, NaN if there is one.
    """
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        return Difference(np.inf, np.inf)
    if not theirs.size:
        return Difference()
    distance = np.abs(ours - theirs)
    if scale is None:
        scale = np.abs(theirs).max()
    relative = distance / np.maximum(scale, np.finfo(np.float64).tiny)
    return Difference(float(distance.max()), float(relative.max()))


def parity_tables(title: str, rows: Sequence[Row]) -> list[Table]:
    """Lay rows out as a table for each section; the last has what needs words."""
    sections = list(dict.fromkeys(row.section for row in rows))
    tables = [
        Table(HEADS, [_cells(row) for row in rows if row.section == name], 2, (), name)
        for name in sections
    ]
    tables[0] = replace(tables[0], title=f"{title}\n\n{sections[0]}")
    tables[-1] = replace(tables[-1], notes=["", *_summary(rows)])
    return tables


def _cells(row: Row) -> list[Cell | str]:
    """Write one row."""
    if row.finding is None:
        return [row.stage, "", "", "", "", row.verdict]
    file, difference, limit, what = row.finding
    numbers = (Cell(f"{x:.1e}" if x else "0", x) for x in difference)
    stage = row.stage + (f": {what}" if what else "")
    return [stage, file, *numbers, str(limit), row.verdict]


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    """Count the verdicts; list what was not found, and what failed."""
    yield "max rel is a share: of itself for a weight, variance or psi, of its standard"
    yield "deviation for a mean, of its length for an i-vector, else of the largest."
    yield ""
    count = Counter(row.verdict for row in rows)
    verdicts: tuple[Verdict, ...] = ("ok", "differs", "not found")
    yield ", ".join(f"{count[verdict]} {verdict}" for verdict in verdicts)
    for row in rows:
        if row.note:
            yield f"  {row.section}, {row.stage}: {row.verdict}: {row.note}"
