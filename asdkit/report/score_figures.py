"""Figures of scores: DET curves, histograms, Bayes error rates, and their cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from asdkit.base.answers import Cell, number
from asdkit.metrics.bayes_error import BayesErrors, bayes_errors
from asdkit.metrics.det_points import DetPoints, det_points, probit
from asdkit.metrics.eer import eer_point
from asdkit.report.evaluations import Evaluated
from asdkit.report.markup import Markup, data_table, element, figure, scroll_box
from asdkit.report.spread import BAND, Spread
from asdkit.report.svg import Plot, style_of, swatch, ticks

PERCENT = (0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40, 60, 80)
LOG_ODDS = np.linspace(-8, 8, 65)
SHOWN = 8  # systems whose curves are drawn at first; a box in the table shows others
NUM_BINS = 40
NUM_STOPS = 200  # of the cursor
AT = (0.001, 0.01, 0.05, 0.1, 0.2, 0.4)  # false alarm rates of the table of curves


class Curves(NamedTuple):
    """Curves of a system.

    Attributes:
        points: of the DET curve.
        errors: over `LOG_ODDS`.
        eer_threshold: highest rejected score where both error rates are nearest.
    """

    points: DetPoints
    errors: BayesErrors
    eer_threshold: float


def curves_of(found: Evaluated) -> list[Curves]:
    """Compute the curves of all systems."""
    curves = []
    for system in found.systems:
        target, nontarget = map(np.sort, found.two(system.scores))
        points = det_points(target, nontarget)
        errors = bayes_errors(target, nontarget, LOG_ODDS)
        curves.append(Curves(points, errors, eer_point(target, nontarget).threshold))
    return curves


def det_figure(
    found: Evaluated, curves: Sequence[Curves], spread: Spread | None, place: str
) -> Markup:
    """Draw the DET curves of all systems, with the band of the best.

    Args:
        found: the systems.
        curves: of each.
        spread: for bands; None for none.
        place: id of the evaluation in the page.
    """
    low, high = det_range(found, curves)
    plot = Plot.sized((low, high), (low, high), 460, 430, probit)
    marks = [(x / 100, f"{x:g}") for x in PERCENT if low <= x / 100 <= high]
    axes = "false alarm rate in %", "miss rate in %"
    parts = [plot.axes(marks, marks, *axes)]
    bands = spread.bands if spread else []
    for s, (least, most) in enumerate(bands):
        kind = f"band c{s % 8}"
        hidden = "none" if s else None
        band = plot.band(BAND, least, most, class_=kind, data_band=s, display=hidden)
        parts.append(band)
    diagonal = np.array([low, high])
    parts.append(plot.line(diagonal, diagonal, class_="guide"))
    for s, one in enumerate(curves):
        rows = _drawn(one.points, low, high)
        x, y = one.points.false_alarm[rows], one.points.miss[rows]
        line = plot.line(x, y, id=f"{place}-det-{s}", data_s=s, **style_of(s))
        dot = element("circle", r=5, class_=f"dot c{s % 8}", data_s=s, data_on="det")
        parts += [line, dot]
    names = ", ".join(system.name for system in found.systems[:3])
    picture = plot.draw(parts, f"DET curves of {names}", class_="plot wide")
    text = "Miss rates over false alarm rates; nearer to the lower left is better. "
    text += "On the thin diagonal both are equal (EER). "
    if spread:
        text += "The band holds 95 % of the curves of the best system, or of the row "
        text += f"in focus, over {spread.num_draws:,} draws of speakers. "
    return figure("DET curves", text, picture, _det_table(found, curves))


def histogram_figure(found: Evaluated, place: str) -> Markup:
    """Draw score histograms of every system."""
    boxes, rows = [], []
    for s, system in enumerate(found.systems):
        low, high = _score_range(found.two(system.scores))
        edges = np.linspace(low, high, NUM_BINS + 1)
        shares = [
            np.histogram(np.clip(one, low, high), edges)[0] / len(one)
            for one in found.split(system.scores)
        ]
        top = max(float(share.max()) for share in shares)
        plot = Plot.sized((low, high), (0, top), 280, 150, left=12)
        parts = [plot.axes(ticks(low, high, 6), [], "score", "")]
        for sort, share in zip(found.sorts, shares, strict=True):
            x = np.r_[low, np.repeat(edges[1:-1], 2), high]
            y = np.repeat(share, 2)
            parts.append(plot.band(x, np.zeros(len(x)), y, class_=f"hist {sort}"))
        cut = element("line", y1=10, y2=110, class_="cut", data_s=s, data_on="hist")
        ends = {"data_low": f"{low:.6g}", "data_high": f"{high:.6g}"}
        label = f"Score histogram of {system.name}"
        picture = plot.draw([*parts, cut], label, class_="plot", **ends)
        name = element("div", [swatch(s), system.name], class_="name")
        boxes.append(element("div", [name, picture], data_s=s))
        rows += _histogram_rows(system.name, edges, shares)
    keys = [element("span", sort, class_=f"key {sort}") for sort in found.sorts]
    text = [
        "Shares of the trials of each class: ",
        *keys,
        ". The vertical line is the threshold of the cursor.",
    ]
    titles = ["system", "score", *(f"{sort} %" for sort in found.sorts)]
    table = data_table(titles, rows, "Score histograms", 2)
    grid = element("div", boxes, class_="multiples", id=f"{place}-hist")
    return figure("Score histograms", text, grid, table)


def calibration_figure(
    found: Evaluated, curves: Sequence[Curves], place: str
) -> Markup:
    """Draw normalized Bayes error rates over the prior."""
    plot = Plot.sized((LOG_ODDS[0], LOG_ODDS[-1]), (0, 1.2), 460, 320)
    x_label = f"log odds of the prior of {found.sorts[0]} trials"
    axes = ticks(-8, 8, 9), ticks(0, 1.2, 7)
    parts = [plot.axes(*axes, x_label, "normalized error rate")]
    parts.append(plot.line([-8, 8], [1, 1], class_="guide"))
    for s, one in enumerate(curves):
        style = style_of(s)
        least = style | {"class_": f"{style['class_']} thin"}
        parts.append(plot.line(LOG_ODDS, one.errors.least, data_s=s, **least))
        line = plot.line(
            *(LOG_ODDS, one.errors.actual), id=f"{place}-cal-{s}", data_s=s, **style
        )
        dot = element("circle", r=5, class_=f"dot c{s % 8}", data_s=s, data_on="cal")
        parts += [line, dot]
    picture = plot.draw(parts, "Normalized Bayes error rates", class_="plot wide")
    text = (
        "Error rate of decisions at Bayes' threshold, thick, and at the best "
        "threshold, thin, divided by that of the better of accepting all and rejecting "
        "all. What is between both lines is lost by calibration; above 1 the decisions "
        "are worse than none. Scores that are no log-likelihood ratios, such as "
        "cosines, need calibration before their thick lines mean anything."
    )
    shown = [-6, -4, -2, 0, 2, 4, 6]
    rows: list[list[Cell | str]] = []
    at = [int(np.argmin(np.abs(LOG_ODDS - x))) for x in shown]
    for system, one in zip(found.systems, curves, strict=True):
        for name, values in (("actual", one.errors.actual), ("best", one.errors.least)):
            cells = [number(float(values[row]), ".4f") for row in at]
            rows.append([system.name, name, *cells])
    titles = ["system", "threshold", *(f"log odds {x}" for x in shown)]
    table = data_table(titles, rows, "Normalized Bayes error rates", 2)
    return figure("Calibration", text, picture, table)


def cursor_of(found: Evaluated, curves: Sequence[Curves], place: str) -> Markup:
    """Write the cursor over all plots: its controls, and a table of where it is."""
    modes = {
        "eer": "every system's EER",
        "fa": "one false alarm rate",
        "t": "one threshold",
    }
    options = [element("option", text, value=key) for key, text in modes.items()]
    choice = element("select", options, name="mode", id=f"{place}-mode")
    slider = element(
        *("input",),
        type="range",
        min=0,
        max=NUM_STOPS,
        value=NUM_STOPS // 2,
        name="at",
        id=f"{place}-at",
        aria_describedby=f"{place}-help",
    )
    controls = element(
        "div",
        [
            element("label", "Cursor at ", for_=f"{place}-mode"),
            choice,
            element("label", "moved by ", for_=f"{place}-at"),
            slider,
            element("span", "arrow keys move it", id=f"{place}-help", class_="hint"),
        ],
        class_="controls",
    )
    titles = "system", "threshold", "prior log odds", "false alarms %", "misses %"
    body = []
    for s, (system, one) in enumerate(zip(found.systems, curves, strict=True)):
        t = one.eer_threshold
        target, nontarget = found.two(system.scores)
        miss, alarm = np.mean(target <= t), np.mean(nontarget > t)
        cells = [element("th", [swatch(s), system.name], scope="row")]
        values = f"{t:.4g}", f"{-t:.4g}", f"{100 * alarm:.2f}", f"{100 * miss:.2f}"
        for key, value in zip("tofm", values, strict=True):
            cells.append(element("td", value, class_="n", data_k=key))
        body.append(element("tr", cells, data_s=s))
    head = element("tr", [element("th", title, scope="col") for title in titles])
    table = element("table", [element("thead", head), element("tbody", body)])
    label = "Operating points at the cursor"
    summary = element("summary", label)
    read = element("details", [summary, scroll_box(table, label)], open=True)
    return element("div", [controls, read], class_="cursor", data_for=place)


def cursor_data(curves: Sequence[Curves], low: float, high: float) -> dict[str, Any]:
    """Return what the page's script needs: rates of the cursor, and systems' points."""
    systems = []
    for one in curves:
        rows = _drawn(one.points, low, high)
        columns = [getattr(one.points, name)[rows] for name in DetPoints._fields]
        t, m, f = ([_short(x) for x in column] for column in columns)
        systems.append({"t": t, "m": m, "f": f, "eer": _short(one.eer_threshold)})
    first, last = probit(np.array([low, high])).tolist()
    rates = ndtr(np.linspace(first, last, NUM_STOPS + 1))
    return {"fa": [_short(x) for x in rates], "systems": systems}


def det_range(found: Evaluated, curves: Sequence[Curves]) -> tuple[float, float]:
    """Show a decade below the lowest EER, if there are so many trials."""
    positives = int(found.classes[0].sum())
    counts = positives, len(found.classes[0]) - positives
    lowest = min(float(np.max([np.min(_sides(one))])) for one in curves)
    low = max(0.3 / max(counts), min(0.001, lowest / 10), 1e-4)
    highest = max(float(np.min(_sides(one))) for one in curves)
    return low, (0.6 if highest < 0.4 else 0.9)


def _sides(one: Curves) -> np.ndarray:
    """Return the larger of both error rates at every point."""
    return np.maximum(one.points.miss, one.points.false_alarm)


def _drawn(points: DetPoints, low: float, high: float) -> np.ndarray:
    """Find the points inside the plot, and one beyond each of its edges."""
    inside = (points.false_alarm >= low) & (points.miss >= low)
    inside &= (points.false_alarm <= high) & (points.miss <= high)
    rows = np.flatnonzero(inside)
    if not len(rows):
        return np.arange(len(points.miss))
    first, last = max(0, rows[0] - 1), min(len(points.miss) - 1, rows[-1] + 1)
    return np.arange(first, last + 1)


def _det_table(found: Evaluated, curves: Sequence[Curves]) -> Markup:
    """Tabulate miss rates at some false alarm rates."""
    rows: list[list[Cell | str]] = []
    for system, one in zip(found.systems, curves, strict=True):
        misses = [
            one.points.miss[one.points.false_alarm <= rate].min(initial=1.0)
            for rate in AT
        ]
        rows.append([system.name, *(number(100 * float(x), ".2f") for x in misses)])
    titles = ["system", *(f"miss % at {100 * rate:g} % false alarms" for rate in AT)]
    return data_table(titles, rows, "Miss rates at false alarm rates")


def _histogram_rows(
    name: str, edges: np.ndarray, shares: Sequence[np.ndarray]
) -> list[list[Cell | str]]:
    """List pairs of bins that hold anything."""
    rows: list[list[Cell | str]] = []
    for b in range(0, NUM_BINS, 2):
        values = [float(share[b : b + 2].sum()) for share in shares]
        if any(values):
            place = f"{edges[b]:.3g} to {edges[b + 2]:.3g}"
            rows.append([name, place, *(number(100 * x, ".2f") for x in values)])
    return rows


def _score_range(two: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Choose a range that holds nearly all scores of both classes."""
    low = min(float(np.quantile(one, 0.01)) for one in two)
    high = max(float(np.quantile(one, 0.99)) for one in two)
    edge = 0.1 * (high - low) or 1.0
    scores = np.concatenate(two)
    low, high = max(low - edge, scores.min()), min(high + edge, scores.max())
    return (low, high) if low < high else (low - 1, low + 1)


def _short(value: float) -> float | None:
    """Round to what a screen shows; None for minus infinity."""
    return float(f"{value:.4g}") if np.isfinite(value) else None
