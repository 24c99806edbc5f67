"""Figures of trainings: what was measured after every epoch or iteration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asdkit.base.answers import Cell, number
from asdkit.report.lineage import Made
from asdkit.report.markup import Markup, data_table, element, figure
from asdkit.report.svg import Plot, ticks

# Entries of a history that say how fast, not how well.
ASIDE = {"step", "utts/s", "waiting %", "rate", "margin", "norm", "weight"}
MOST_ROWS = 60  # of the table; of longer trainings every n-th is listed


def training_figures(runs: Iterable[Made]) -> list[Markup]:
    """Draw what every training has measured, one plot for each quantity."""
    figures = []
    for made in runs:
        history = [x for x in made.entry.get("history", []) if isinstance(x, dict)]
        names = [
            name
            for name in dict.fromkeys(key for step in history for key in step)
            if name not in ASIDE and _known(history, name) > 1
        ]
        if names:
            figures.append(_figure(made, history, names))
    return [element("div", figures, class_="pair")] if figures else []


def _figure(
    made: Made, history: Sequence[Mapping[str, Any]], names: list[str]
) -> Markup:
    """Draw the quantities of one training below each other."""
    drawings = [_plot(history, name) for name in names[:4]]
    titles = ["epoch", *dict.fromkeys(key for step in history for key in step)]
    every = -(-len(history) // MOST_ROWS)
    rows: list[list[Cell | str]] = [
        [f"{n + 1}", *(number(_number(step, key), ".4g") for key in titles[1:])]
        for n, step in enumerate(history)
        if (n + 1) % every == 0 or n + 1 == len(history)
    ]
    title = f"Training of {made.output}"
    table = data_table(titles, rows, title)
    text = f"{made.program}: {', '.join(names[:4])} by epoch or iteration."
    return figure(title, text, drawings, table)


def _plot(history: Sequence[Mapping[str, Any]], name: str) -> Markup:
    """Draw one quantity."""
    points = [(n + 1, _number(step, name)) for n, step in enumerate(history)]
    known = [(n, value) for n, value in points if value is not None]
    x, y = [n for n, _ in known], [value for _, value in known]
    low, high = min(y), max(y)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edge = 0.05 * (high - low)
    plot = Plot.sized((1, len(history)), (low - edge, high + edge), 460, 190, left=64)
    whole = [tick for tick in ticks(1, len(history)) if tick[0] == round(tick[0])]
    axes = plot.axes(whole, ticks(low, high, 5), "epoch", name)
    line = plot.line(x, y, class_="s c0")
    return plot.draw([axes, line], f"{name} by epoch", class_="plot")


def _known(history: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(_number(step, name) is not None for step in history)


def _number(step: Mapping[str, Any], name: str) -> float | None:
    value = step.get(name)
    return float(value) if isinstance(value, (int, float)) else None
