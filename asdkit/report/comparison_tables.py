"""Tables of compared systems, and a sentence for every comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asdkit.base.answers import Cell, Table, number
from asdkit.metrics.bootstrap import Interval, Speakers, interval
from asdkit.metrics.comparison import Comparison
from asdkit.metrics.flavors import Metric


def count(sorts: Sequence[str], speakers: Sequence[Speakers]) -> str:
    """Say how many trials there are of how many speakers.

    Args:
        sorts: names of the classes.
        speakers: of the trials of every class.
    """
    columns = [n for s in speakers for n in (s.first, s.second) if n is not None]
    num_speakers = len(np.unique(np.concatenate(columns)))
    trials = " and ".join(
        f"{len(s.first):,} {sort}" for sort, s in zip(sorts, speakers, strict=True)
    )
    return f"{trials} trials of {num_speakers:,} speakers"


def systems_table(
    names: Sequence[str],
    values: Sequence[Sequence[Sequence[float]]],
    replicates: np.ndarray,
    metrics: Sequence[Metric],
    level: float,
    trials: str,
) -> Table:
    """Tabulate the systems by themselves.

    Args:
        names: of the S systems.
        values: for every system, every seed: Q metrics.
        replicates: (R, S, Q) from `asdkit.metrics.comparison.draw_seeds`.
        metrics: Q of them.
        level: the intervals have the confidence 1 - level.
        trials: what the systems scored, in words.
    """
    titles = ["system", "seeds"]
    any_seeds = any(len(one) > 1 for one in values)
    for metric in metrics:
        titles += [metric.title, *([f"{metric.title} sd"] if any_seeds else [])]
    rows: list[list[Cell | str]] = []
    for s, (name, one) in enumerate(zip(names, values, strict=True)):
        of_seeds = np.array(one)  # (n, Q)
        row: list[Cell | str] = [name, number(len(one))]
        for q, metric in enumerate(metrics):
            ends = interval(replicates[:, s, q], 1 - level)
            mean = float(of_seeds[:, q].mean())
            row.append(_with_interval(mean, ends, metric.scale, 4))
            if any_seeds:
                spread = float(of_seeds[:, q].std(ddof=1)) if len(one) > 1 else None
                row.append(number(spread and metric.scale * spread, ".4f"))
        rows.append(row)
    confidence = f"{100 * (1 - level):g} %"
    notes = [f"{trials}; {confidence} intervals of means over seeds."]
    return Table(titles, rows, notes=notes)


def pairs_table(
    names: Sequence[str],
    num_seeds: Sequence[int],
    comparisons: Sequence[Comparison],
    metrics: Sequence[Metric],
    level: float,
) -> Table:
    """Tabulate the comparisons, with a sentence for each below.

    Args:
        names: of the S systems.
        num_seeds: of every system.
        comparisons: from `asdkit.metrics.comparison.compare`.
        metrics: that were compared.
        level: of the tests.
    """
    titles = ["system", "against", "metric", "difference", "change %"]
    titles += ["p", "p (Holm)", "verdict"]
    rows: list[list[Cell | str]] = []
    for one in comparisons:
        metric = metrics[one.metric]
        rows.append(
            [
                *(names[one.system], names[one.against], metric.title),
                _with_interval(
                    one.difference, one.difference_interval, metric.scale, 4
                ),
                _with_interval(one.change, one.change_interval, 100, 1),
                number(one.p, ".4f"),
                number(one.adjusted_p, ".4f"),
                one.verdict,
            ]
        )
    notes = [
        say(one, names, metrics[one.metric], len(comparisons), level)
        for one in comparisons
    ]
    alone = [name for name, n in zip(names, num_seeds, strict=True) if n == 1]
    if alone:
        notes.append(
            "One seed only, so the spread over seeds is unknown and left out: "
            f"{', '.join(alone)}."
        )
    return Table(titles, rows, num_names=3, notes=notes)


def say(
    one: Comparison,
    names: Sequence[str],
    metric: Metric,
    num_comparisons: int,
    level: float = 0.05,
) -> str:
    """Say a comparison in a sentence.

    The change is in percent of the other system's metric, or, where that is 0 or was in
    a replicate, the difference in the metric's own unit.

    Args:
        one: the comparison.
        names: of all systems.
        metric: by which they are compared.
        num_comparisons: for how many p was corrected.
        level: of the test; the interval has the confidence 1 - level.
    """
    is_ratio = bool(np.all(np.isfinite([one.change, *one.change_interval])))
    title = metric.title.removesuffix(" %")
    effect, ends, unit = one.change, one.change_interval, " %"
    scale, digits = 100.0, 1
    if not is_ratio:
        effect, ends = one.difference, one.difference_interval
        unit = " points" if metric.title.endswith("%") else ""
        scale, digits = metric.scale, 4
    low, high = (scale * end for end in ends)

    def size(value: float) -> str:
        return f"{abs(value):.{digits}f}"

    def way(value: float) -> str:
        return f"{size(value)}{unit} {'lower' if value < 0 else 'higher'}"

    if low * high < 0:
        within = f"{way(low)} to {way(high)}"
    else:
        near, far = sorted((abs(low), abs(high)))
        within = f"{size(near)} to {size(far)}{unit}"
    system, other = names[one.system], names[one.against]
    p = f"p = {one.adjusted_p:.3f}" if one.adjusted_p >= 0.001 else "p < 0.001"
    if num_comparisons > 1:
        p += f" after Holm correction for {num_comparisons} comparisons"
    text = f"{100 * (1 - level):g} % interval {within}, {p}"
    claim = f"has the same {title} as"
    if effect:
        claim = f"has {way(effect * scale)} {title} than"
    return f"{system} {claim} {other} ({text}): {one.verdict}."


def _with_interval(value: float, ends: Interval, scale: float, digits: int) -> Cell:
    """Make a cell of a number with its interval in brackets."""
    cell = number(scale * value, f".{digits}f")
    scaled = [float(scale * end) for end in ends]
    if not np.all(np.isfinite(scaled)):
        return cell
    text = f"{cell.text} [{scaled[0]:.{digits}f}, {scaled[1]:.{digits}f}]"
    return Cell(text, {"value": cell.value, "interval": scaled})
