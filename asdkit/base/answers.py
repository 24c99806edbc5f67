"""Program output: tables as text for people, as JSON for programs."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from asdkit.base.errors import AsdkitError

WIDTH = 80  # columns of a terminal; a pipe or a file gets every row in one line


class Cell(NamedTuple):
    """One entry of a table.

    Attributes:
        text: text for people.
        value: value for JSON: number, text, or None where there is none.
    """

    text: str
    value: Any


def number(value: float | None, form: str = "", absent: str = "-") -> Cell:
    """Make a cell of a number.

    Args:
        value: number; None or NaN where there is none.
        form: format, e.g. ".2f" or ",".
        absent: text printed where there is no value.

    Example:
        >>> number(5.7001, ".2f").text
        '5.70'
        >>> number(float("nan"))
        Cell(text='-', value=None)
    """
    if value is None or math.isnan(value):
        return Cell(absent, None)
    return Cell(format(value, form), value)


@dataclass(frozen=True)
class Table:
    """Rows of names and numbers.

    Args:
        titles: titles of the columns.
        rows: rows with as many cells; a plain text is its own value.
        num_names: number of name columns on the left, which are repeated if the table
            is split.
        notes: notes below the table, wrapped where they are wider than a terminal.
        title: title above the table.

    Example:
        >>> print(Table(["system", "EER %"], [["PLDA", number(5.7, ".2f")]]))
        system  EER %
        PLDA     5.70
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    num_names: int = 1
    notes: Sequence[str] = ()
    title: str = ""

    def __str__(self) -> str:
        return self.text()

    def text(self, width: int | None = None) -> str:
        """Write the table for people.

        Args:
            width: Format the table for people.
        """
        texts = [self.titles, *([_text(cell) for cell in row] for row in self.rows)]
        bands = "\n\n".join(self._bands(texts, width or sys.maxsize))
        notes = self.notes
        if width is not None:
            notes = [_wrap(note, width) for note in notes]
        return "\n".join([*([self.title] if self.title else []), bands, *notes])

    def to_json(self) -> dict[str, Any]:
        """Return the title, rows as title of the column -> value, and the notes."""
        rows = [
            dict(zip(self.titles, map(_value, row), strict=True)) for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}

    def _bands(self, texts: Sequence[Sequence[str]], width: int) -> Iterator[str]:
        """Yield the table, or parts with some of its columns that fit the width."""
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        names = range(self.num_names)
        start = sum(widths[column] for column in names) + 2 * (self.num_names - 1)
        band, used = list(names), start
        for column in range(self.num_names, len(widths)):
            if used + 2 + widths[column] > width and len(band) > self.num_names:
                yield self._align(texts, widths, band)
                band, used = list(names), start
            band.append(column)
            used += 2 + widths[column]
        yield self._align(texts, widths, band)

    def _align(
        self,
        texts: Sequence[Sequence[str]],
        widths: Sequence[int],
        columns: Sequence[int],
    ) -> str:
        """Set some columns as text, names to the left and numbers to the right."""
        return "\n".join(
            "  ".join(
                row[column].ljust(widths[column])
                if column < self.num_names
                else row[column].rjust(widths[column])
                for column in columns
            ).rstrip()
            for row in texts
        )


Answer = str | Table | Sequence[Table]


class CheckFailed(AsdkitError):
    """Report that a check was done and what was checked did not pass.

    The answer is printed as it would be had it passed; then the message, exit code 1.

    Args:
        answer: what the program prints in either case.
        message: where, expected, got, in that order.
        hint: the cure, a command or an edit.
    """

    def __init__(self, answer: Answer, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.answer = answer


def as_text(answer: Answer, width: int | None = None) -> str:
    """Format an answer for people, tables with an empty line between."""
    if isinstance(answer, str):
        return answer
    return "\n\n".join(table.text(width) for table in _tables(answer))


def as_json(answer: Table | Sequence[Table]) -> str:
    """Format tables as a JSON list of objects with title, rows and notes."""
    found = [table.to_json() for table in _tables(answer)]
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)


def for_json(value: Any) -> Any:
    """Write as text what JSON has no form for: infinity, NaN, a path.

    >>> for_json({"max_grad_norm": math.inf, "sizes": (1, 2)})
    {'max_grad_norm': 'inf', 'sizes': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(name): for_json(x) for name, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [for_json(x) for x in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def _tables(answer: Table | Sequence[Table]) -> Iterable[Table]:
    return [answer] if isinstance(answer, Table) else answer


def _wrap(note: str, width: int) -> str:
    """Break a note between words."""
    return textwrap.fill(note, width, break_long_words=False, break_on_hyphens=False)


def _text(cell: Cell | str) -> str:
    return cell if isinstance(cell, str) else cell.text


def _value(cell: Cell | str) -> Any:
    value = cell if isinstance(cell, str) else cell.value
    return None if isinstance(value, float) and not math.isfinite(value) else value
