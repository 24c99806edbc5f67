"""Figures of error rates by condition: a row of marks for every value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asdkit.base.answers import Cell, number
from asdkit.report.conditions import ByCondition
from asdkit.report.evaluations import Evaluated
from asdkit.report.markup import Markup, data_table, element, figure
from asdkit.report.svg import Plot, mark, ticks

ROW = 26  # pixels from one value to the next
LETTER = 7  # pixels of a letter of a label


def condition_figures(
    found: Evaluated, conditions: Sequence[ByCondition]
) -> list[Markup]:
    """Draw EERs by every attribute, or say that there is none."""
    if not conditions:
        text = "Error rates by condition are left out: neither the key nor its data "
        text += "directory says how the trials differ."
        return [element("p", text, class_="soft")]
    figures = [_figure(found, one) for one in conditions]
    return [element("div", figures, class_="pair")]


def _figure(found: Evaluated, one: ByCondition) -> Markup:
    """Draw one attribute."""
    top = max(0.01, float(one.eers.max()) * 1.08)
    height = ROW * len(one.values) + 60
    left = 24 + LETTER * min(22, max(map(len, one.values)))
    num_rows = len(one.values)
    plot = Plot.sized((0, 100 * top), (num_rows - 0.5, -0.5), 460, height, left=left)
    names = [(row, _cut(value)) for row, value in enumerate(one.values)]
    parts = [plot.axes(ticks(0, 100 * top), names, "EER in %", "")]
    for s, eers in enumerate(one.eers):
        for row, eer in enumerate(eers):
            # Systems lie a little apart, so that equal ones stay visible.
            shift = 14 * (s / max(1, len(one.eers) - 1) - 0.5)
            x, y = float(plot.x(100 * eer)), float(plot.y(row)) + shift
            parts.append(mark(s, x, y, 4, class_=f"m c{s % 8}", data_s=s))
    picture = plot.draw(parts, f"EER by {one.title}", class_="plot")
    rows: list[list[Cell | str]] = []
    for c, value in enumerate(one.values):
        cells = [number(100 * float(eer), ".2f") for eer in one.eers[:, c]]
        counts = [number(int(count), ",") for count in one.counts[c]]
        rows.append([value, *cells, *counts])
    systems = [f"{system.name} %" for system in found.systems]
    others = "others" if len(found.sorts) > 2 else found.sorts[1]
    titles = [one.title, *systems, found.sorts[0], others]
    table = data_table(titles, rows, f"EER by {one.title}")
    least = int(np.min(one.counts))
    text = f"EER of every system by {one.title}."
    if least < 30:
        text += f" The smallest class has {least} trials: see the counts below."
    return figure(f"By {one.title}", text, picture, table)


def _cut(text: str) -> str:
    """Shorten a label to what fits."""
    return text if len(text) <= 22 else f"{text[:20]}…"
