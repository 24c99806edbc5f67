"""The answer of a report: which system is best, by how much, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from asdkit.base.answers import Cell, number
from asdkit.metrics.comparison import UNKNOWN, Comparison
from asdkit.metrics.flavors import Metric
from asdkit.report.evaluations import Evaluated
from asdkit.report.lineage import Spent, spent_on
from asdkit.report.markup import Markup, data_table, element, scroll_box
from asdkit.report.score_figures import SHOWN
from asdkit.report.seed_groups import SeedGroup, group_seeds, mean_and_spread
from asdkit.report.spread import Spread
from asdkit.report.svg import swatch

COSTS = ("parameters", "MACs", "real-time factor", "training", "energy Wh")
HINTS = {
    "MACs": "multiply-accumulates of two seconds",
    "real-time factor": "CPU seconds per second of test speech",
    "training": "wall time of all trainings behind these scores",
    "energy Wh": "all runs behind these scores; measured, or estimated from seconds",
}


def answer(found: Evaluated, spread: Spread | str) -> Markup:
    """Say in a sentence which system is best, and by how much; and over seeds."""
    return Markup(_best(found, spread) + _best_over_seeds(found))


def _best(found: Evaluated, spread: Spread | str) -> Markup:
    """Say which system is best, and by how much."""
    metric = found.metrics[0]
    best, *others = found.systems
    title = metric.title.removesuffix(" %")
    name = element("strong", best.name)
    own = _value(metric, best.values[metric.title])
    if not isinstance(spread, str) and metric.title in spread.intervals[0]:
        low, high = spread.intervals[0][metric.title]
        ends = f"{metric.scale * low:.2f} to {metric.scale * high:.2f}"
        own += f" (95 % interval {ends})"
    if not others:
        return element("p", [name, f": {title} {own}."], class_="answer")
    first = f" has the lowest {title} of {len(found.systems)} systems: {own}. "
    nearest = others[0]
    parts: list[Any] = [name, first, element("strong", nearest.name), " comes next"]
    comparisons = [] if isinstance(spread, str) else spread.comparisons
    if comparisons:
        parts.append(f", {_distance(comparisons[0], metric, len(comparisons))}")
    else:
        parts.append(f", at {_value(metric, nearest.values[metric.title])}.")
    told = [x for x in comparisons if x.verdict != UNKNOWN]
    if len(comparisons) > 1 and told and comparisons[0].verdict == UNKNOWN:
        worse = found.systems[told[0].system].name
        parts += [" It is certainly better than ", element("strong", worse)]
        parts.append(f" and {len(told) - 1} more." if len(told) > 1 else ".")
    return element("p", parts, class_="answer")


def _best_over_seeds(found: Evaluated) -> Markup:
    """Say which system is best on average over seeds, if any has several."""
    metric = found.metrics[0]
    groups = group_seeds(found.systems, metric.title)
    if not any(one.is_several for one in groups) or len(groups) == 1:
        return Markup("")
    title = metric.title.removesuffix(" %")
    parts: list[Any] = ["Over seeds: "]
    words = f" has the lowest mean {title}: ", " comes next, at "
    for one, said in zip(groups, words, strict=False):
        seeds = f"{len(one.members)} seeds" if one.is_several else "one seed"
        text = f"{said}{_mean_text(one, found, metric)} ({seeds}). "
        parts += [element("strong", one.name), text]
    return element("p", parts, class_="answer")


def systems_table(found: Evaluated, spread: Spread | str, place: str) -> Markup:
    """Write the table of systems, sortable, with boxes that show their curves.

    Args:
        found: the systems, the best first.
        spread: their intervals, or why there are none.
        place: id of the evaluation in the page.
    """
    spent = [spent_on(system.runs) for system in found.systems]
    costs = [title for title in COSTS if any(_cost(one, title)[1] for one in spent)]
    comparisons = {} if isinstance(spread, str) else _by_system(spread.comparisons)
    first = found.metrics[0].title
    titles = ["system", *(metric.title for metric in found.metrics)]
    titles += [f"{first.removesuffix(' %')} against the best"] if comparisons else []
    titles += costs
    against = comparisons or None
    body = []
    for group in group_seeds(found.systems, first):
        rows = []
        if group.is_several:
            rows.append(_seeds_row(group, found, against, spent, costs))
        for s in group.members:
            cells = [_name_cell(s, found.systems[s].name, place)]
            cells += _number_cells(s, found, spread)
            cells += [_against_cell(comparisons.get(s))] if comparisons else []
            cells += [_cost_cell(spent[s], title) for title in costs]
            kind = "seed" if group.is_several else None
            rows.append(element("tr", cells, data_row=s, class_=kind))
        body.append(element("tbody", rows))
    head = [
        element(
            "th",
            element("button", title, type="button", title=HINTS.get(title)),
            scope="col",
            aria_sort="ascending" if title == first else None,
        )
        for title in titles
    ]
    parts = [element("thead", element("tr", head)), *body]
    table = element("table", parts, class_="systems", id=f"{place}-systems")
    return Markup(scroll_box(table, "Systems") + _digits(found, spread))


def _number_cells(s: int, found: Evaluated, spread: Spread | str) -> list[Markup]:
    """Write the metrics of a system, with their intervals."""
    cells = []
    for metric in found.metrics:
        ends = None
        if not isinstance(spread, str):
            ends = spread.intervals[s].get(metric.title)
        cells.append(_metric_cell(metric, found.systems[s].values[metric.title], ends))
    return cells


def _seeds_row(
    group: SeedGroup,
    found: Evaluated,
    comparisons: dict[int, Comparison] | None,
    spent: Sequence[Spent],
    costs: Sequence[str],
) -> Markup:
    """Write the row above those of a system's seeds: means, and deviations."""
    label = [group.name, element("small", f"mean of {len(group.members)} seeds")]
    cells = [element("th", label, scope="rowgroup", data_v=group.name)]
    for metric in found.metrics:
        mean, _ = mean_and_spread(group, found.systems, metric.title)
        text = _mean_text(group, found, metric, percent="")
        value = f"{metric.scale * mean!r}"
        cells.append(element("td", text, class_="n", data_v=value))
    if comparisons is not None:
        changes = [comparisons[s].change for s in group.members if s in comparisons]
        changes += [0.0] * (len(group.members) - len(changes))  # the best
        mean = float(np.mean(changes))
        text = f"{100 * mean:+.1f} %" if np.isfinite(mean) else "-"
        shown = f"{mean!r}" if np.isfinite(mean) else ""
        cells.append(element("td", text, class_="n", data_v=shown))
    for title in costs:
        values = [_cost(spent[s], title)[1] for s in group.members]
        known = [x for x in values if x]
        cells.append(_mean_cost_cell(title, known, len(values)))
    return element("tr", cells, class_="seeds")


def _mean_cost_cell(title: str, values: Sequence[float], num_seeds: int) -> Markup:
    """Write what a seed has cost on average, if it is known of all."""
    if len(values) < num_seeds:
        return element("td", "-", class_="n", data_v="")
    mean = sum(values) / num_seeds
    return element("td", _cost_text(title, mean), class_="n", data_v=f"{mean!r}")


def _mean_text(
    group: SeedGroup, found: Evaluated, metric: Metric, percent: str = " %"
) -> str:
    """Write a mean over seeds, with its deviation where there are several."""
    values = mean_and_spread(group, found.systems, metric.title)
    digits = 2 if metric.scale == 100 else 3
    mean, spread = (number(metric.scale * x, f".{digits}f").text for x in values)
    text = f"{mean} ± {spread}" if group.is_several else mean
    return text + percent * (metric.scale == 100)


def counted(found: Evaluated) -> str:
    """Say what was scored: trials of every class, and their speakers."""
    counts = " and ".join(
        f"{int(rows.sum()):,} {sort}"
        for rows, sort in zip(found.classes, found.sorts, strict=True)
    )
    text = f"{counts} trials"
    if found.speakers is not None:
        columns = [n for s in found.speakers for n in (s.first, s.second)]
        known = [np.unique(n) for n in columns if n is not None]
        text += f" of {len(np.unique(np.concatenate(known))):,} speakers"
    return text


def _digits(found: Evaluated, spread: Spread | str) -> Markup:
    """Tabulate all digits that score-metrics prints."""
    rows: list[list[Cell | str]] = []
    for s, system in enumerate(found.systems):
        row: list[Cell | str] = [system.name]
        for metric in found.metrics:
            cell = number(metric.scale * system.values[metric.title], ".4f")
            if not isinstance(spread, str) and metric.title in spread.intervals[s]:
                ends = spread.intervals[s][metric.title]
                low, high = (metric.scale * end for end in ends)
                cell = Cell(f"{cell.text} [{low:.4f}, {high:.4f}]", cell.value)
            row.append(cell)
        rows.append(row)
    for group in group_seeds(found.systems, found.metrics[0].title):
        if group.is_several:
            row = [f"{group.name}, mean of {len(group.members)} seeds"]
            for metric in found.metrics:
                values = mean_and_spread(group, found.systems, metric.title)
                mean, deviation = (metric.scale * x for x in values)
                row.append(f"{mean:.4f} ± {deviation:.4f}")
            rows.append(row)
    titles = ["system", *(metric.title for metric in found.metrics)]
    table = data_table(titles, rows, "All digits, with 95 % intervals")
    return element("details", [element("summary", "Data: all digits"), table])


def _value(metric: Metric, value: float) -> str:
    """Write a value for people."""
    if metric.scale == 100:
        return f"{100 * value:.2f} %"
    return f"{value:.3f}"


def _distance(one: Comparison, metric: Metric, num_comparisons: int) -> str:
    """Say how far a system is behind the best, and whether that may be chance."""
    if np.all(np.isfinite([one.change, *one.change_interval])):
        value, ends = 100 * one.change, [100 * x for x in one.change_interval]
        how = f"{value:.1f} % higher (95 % interval {ends[0]:.1f} to {ends[1]:.1f} %; "
    else:
        value = metric.scale * one.difference
        ends = [metric.scale * x for x in one.difference_interval]
        how = f"{value:.2f} higher (95 % interval {ends[0]:.2f} to {ends[1]:.2f}; "
    p = f"p = {one.adjusted_p:.3f}" if one.adjusted_p >= 0.001 else "p < 0.001"
    corrected = f" after Holm correction for {num_comparisons} comparisons"
    if num_comparisons > 1:
        p += corrected
    end = "which may be chance" if one.verdict == UNKNOWN else "which is beyond chance"
    return f"{how}{p}), {end}."


def _by_system(comparisons: Sequence[Comparison]) -> dict[int, Comparison]:
    return {one.system: one for one in comparisons}


def _name_cell(s: int, name: str, place: str) -> Markup:
    """Write a system's name, with a box that shows or hides its curves."""
    box = element(
        "input", type="checkbox", data_show=s, checked=s < SHOWN, id=f"{place}-show-{s}"
    )
    label = element("label", [box, swatch(s), element("span", name)])
    return element("th", label, scope="row", data_v=name)


def _metric_cell(metric: Metric, value: float, ends: Sequence[float] | None) -> Markup:
    """Write a number, and its interval below."""
    digits = 2 if metric.scale == 100 else 3
    text = number(metric.scale * value, f".{digits}f").text
    parts: list[Any] = [text]
    if ends is not None:
        low, high = (f"{metric.scale * end:.{digits}f}" for end in ends)
        parts.append(element("small", f"{low} to {high}"))
    return element("td", parts, class_="n", data_v=f"{metric.scale * value!r}")


def _against_cell(one: Comparison | None) -> Markup:
    """Write how far a system is behind the best."""
    if one is None:
        return element("td", "best", class_="n", data_v="0")
    if not np.isfinite(one.change):
        return element("td", "-", class_="n", data_v="")
    parts: list[Any] = [f"+{100 * one.change:.1f} %"]
    if np.all(np.isfinite(one.change_interval)):
        low, high = (f"{100 * end:+.1f}" for end in one.change_interval)
        parts.append(element("small", f"{low} to {high}, p {one.adjusted_p:.3f}"))
    return element("td", parts, class_="n", data_v=f"{one.change!r}")


def _cost(one: Spent, title: str) -> tuple[str, float]:
    """Return what a cost is for people, and as a number; empty and 0 if not known."""
    value = dict(zip(COSTS, vars(one).values(), strict=True))[title]
    if value is None:
        return "", 0.0
    return _cost_text(title, value), value


def _cost_text(title: str, value: float) -> str:
    """Write a cost for people."""
    if title in ("parameters", "MACs"):
        return _with_prefix(value)
    return _duration(value) if title == "training" else f"{value:.3g}"


def _cost_cell(one: Spent, title: str) -> Markup:
    text, value = _cost(one, title)
    return element("td", text or "-", class_="n", data_v=f"{value!r}" if text else "")


def _with_prefix(value: float) -> str:
    """Write a large number with a prefix of the SI.

    >>> _with_prefix(6630000.0)
    '6.63 M'
    """
    for size, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g}"


def _duration(seconds: float) -> str:
    """Write a time in two units.

    >>> _duration(4000)
    '1 h 07 min'
    """
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min"
