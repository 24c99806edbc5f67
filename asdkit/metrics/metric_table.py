"""Tables of systems and their metrics."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import FitError
from asdkit.metrics.bootstrap import Speakers, interval, replicate
from asdkit.metrics.det import ascending
from asdkit.metrics.flavors import Metric, OperatingCosts, verification_metrics

logger = logging.getLogger(__name__)
DIGITS = 4  # decimals of a number
SORTS = {2: ("target", "nontarget"), 3: ("target", "nontarget", "spoof")}


class Draws(NamedTuple):
    """Options of bootstrap intervals.

    Attributes:
        speakers: of the trials of every class.
        num_replicates: how often to draw speakers.
        seed: of the draws.
    """

    speakers: Sequence[Speakers]
    num_replicates: int
    seed: int = 0


def verification_table(
    systems: Mapping[str, Sequence[np.ndarray]],
    flavor: str = "kaldi",
    draws: Draws | None = None,
    points: Sequence[OperatingCosts] = (),
    digits: int = DIGITS,
) -> Table:
    """Measure speaker verification, one line per system.

    Args:
        systems: name -> (N,) scores of target and (M,) of nontarget trials.
        flavor: one of `asdkit.metrics.flavors.VERIFICATION`.
        draws: bootstrap for 95 % intervals and differences between systems; None for
            none.
        points: operating points of the costs; none: those of the flavor.
        digits: decimals of the numbers.
    """
    metrics = verification_metrics(flavor, points)
    head = ["scores", *(metric.title for metric in metrics), *SORTS[2]]
    return Table(head, measure(systems, metrics, draws, digits))


def measure(
    systems: Mapping[str, Sequence[np.ndarray]],
    metrics: Sequence[Metric],
    draws: Draws | None = None,
    digits: int = DIGITS,
) -> list[list[Cell | str]]:
    """Compute the rows of a table.

    Args:
        systems: name -> (N_k,) scores of class k, for every k.
        metrics: the columns.
        draws: bootstrap for 95 % intervals and rows of differences to the first system;
            None for none.
        digits: decimals of the numbers.

    Returns:
        rows of the system's name, the metrics, and the number of trials of each class.
    """
    values = {}
    for name, classes in systems.items():
        in_order = [ascending(scores, f"{name}: class") for scores in classes]
        values[name] = [metric.value(*in_order) for metric in metrics]
    counts = [number(len(scores)) for scores in next(iter(systems.values()))]
    drawn = _replicate(systems, metrics, draws) if draws else None
    rows: list[list[Cell | str]] = []
    for s, (name, found) in enumerate(values.items()):
        spread = None if drawn is None else drawn[:, s]
        rows.append([name, *_cells(metrics, found, spread, digits), *counts])
    first, *others = values
    for s, name in enumerate(others, start=1):
        if drawn is not None:
            gains = np.subtract(values[name], values[first]).tolist()
            spread = drawn[:, s] - drawn[:, 0]
            cells = _cells(metrics, gains, spread, digits)
            rows.append([f"{name} - {first}", *cells, *counts])
    return rows


def _replicate(
    systems: Mapping[str, Sequence[np.ndarray]],
    metrics: Sequence[Metric],
    draws: Draws,
) -> np.ndarray | None:
    """Draw speakers: (R, S, Q), NaN for metrics without intervals; None if it fails."""
    statistics = {m.title: m.statistic for m in metrics if m.statistic}
    try:
        drawn = replicate(
            list(systems.values()),
            draws.speakers,
            statistics,
            draws.num_replicates,
            draws.seed,
        )
    except FitError as error:
        logger.warning("no intervals: %s", error)
        return None
    spread = np.full((*drawn.shape[:2], len(metrics)), np.nan)
    spread[..., [m.statistic is not None for m in metrics]] = drawn
    return spread


def _cells(
    metrics: Sequence[Metric],
    values: Sequence[float],
    spread: np.ndarray | None,
    digits: int,
) -> list[Cell]:
    """Make cells of numbers, with the interval of their (R, Q) replicates in brackets.

    In JSON a number with an interval is ``{"value": x, "interval": [low, high]}``.
    """
    cells = []
    for q, (metric, value) in enumerate(zip(metrics, values, strict=True)):
        cell = number(float(metric.scale * value), f".{digits}f")
        if spread is not None and np.all(np.isfinite(spread[:, q])):
            ends = [float(metric.scale * end) for end in interval(spread[:, q])]
            text = f"{cell.text} [{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"
            cell = Cell(text, {"value": cell.value, "interval": ends})
        cells.append(cell)
    return cells
