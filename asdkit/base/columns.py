"""Tables as text, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Align cells: the first of a row to the left, figures to the right.

    Example:
        >>> print(columns([("system", "EER %"), ("PLDA", "5.70")]))
        system  EER %
        PLDA     5.70
    """
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([name.ljust(widths[0]), *map(str.rjust, figures, widths[1:])])
        for name, *figures in rows
    )
