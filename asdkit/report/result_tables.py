"""Result tables in Markdown: means and standard deviations over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike


def over_seeds(
    values: ArrayLike, digits: int | Sequence[int] = 2, sign: str = ""
) -> list[str]:
    """Format means over seeds, with deviations where there are several seeds.

    Args:
        values: (S, C), a row for each seed; or (C,), for one.
        digits: decimals, of all columns or of each.
        sign: "+" to show it for positive means, too.

    Returns:
        A cell for each column, as "7.21 ± 0.10"; the deviation is that of a sample
        (divided by S - 1).  Empty where the mean is NaN.

    >>> over_seeds([[7.0, 0.5], [8.0, 0.25]], [2, 3])
    ['7.50 ± 0.71', '0.375 ± 0.177']
    >>> over_seeds([4.0, np.nan], 1, "+")
    ['+4.0', '']
    """
    rows = np.array(values, float, ndmin=2)
    places = [digits] * rows.shape[1] if isinstance(digits, int) else digits
    means = rows.mean(axis=0)
    cells = [f"{x:{sign}.{n}f}" for x, n in zip(means, places, strict=True)]
    if len(rows) > 1:
        spread = zip(cells, rows.std(axis=0, ddof=1), places, strict=True)
        cells = [f"{cell} ± {x:.{n}f}" for cell, x, n in spread]
    return [
        "" if np.isnan(mean) else cell for mean, cell in zip(means, cells, strict=True)
    ]


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], num_names: int = 1
) -> str:
    """Set cells as a table of Markdown.

    Args:
        head: titles of the columns.
        rows: rows with as many cells.
        num_names: number of name columns on the left; all others are numbers.

    >>> print(table(["system", "EER %"], [["LCNN", "1.92"]]))
    | system | EER % |
    | --- | --: |
    | LCNN | 1.92 |
    """
    assert all(len(row) == len(head) for row in rows)
    rule = ["---"] * num_names + ["--:"] * (len(head) - num_names)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def seeds_of(exp: Path, scores: str = "scores_eval") -> dict[str, list[Path]]:
    """Find the seeds for which every system has scored the evaluation set.

    Args:
        exp: with SYSTEM/seedN below it.
        scores: name of the scores there.

    Returns:
        Name of the system -> directories of its seeds, both in alphabetical order.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(exp.glob(f"*/seed*/{scores}")):
        found.setdefault(path.parts[-3], []).append(path.parent)
    return found
