"""Examine scores for signs of trouble before computing metrics.

A metric is a number for any scores at all: for decisions, for a constant, for scores
whose sign is flipped or that belong to other rows.  With their key, and in the order of
their file, scores reveal most of these errors.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asdkit.metrics.eer import eer

logger = logging.getLogger(__name__)

FEWEST = 3  # distinct scores; fewer are decisions
COMMON = 0.5  # share of the trials that may have one and the same score
CHANCE = 0.45  # an EER above is hardly better than chance
SUSPICIOUS = 0.4  # an EER above, of all trials or of a part, is looked into
MAX_PARTS = 16  # consecutive parts of a file that are compared
FEWEST_TRIALS = 20  # of either class, for an EER of a part
MAX_SHIFT = 8  # rows
MAX_ROWS = 1 << 20  # to look for a shift in
GAIN = 0.1  # by which an explanation has to lower the EER, or by more if trials are few
CLEARLY = 0.8  # of two shifts, the farther one has at most this share of the EER
RIVAL = 0.05  # EER below which two explanations are as good as each other
HALF_NEGATED = 0.3  # an EER of negated scores above is not that of a flipped sign alone


class Finding(NamedTuple):
    """One sign of trouble with scores.

    Attributes:
        sort: a word or two.
        text: what was found.
        cure: what to do.
    """

    sort: str
    text: str
    cure: str


def warn(source: object, finding: Finding) -> None:
    """Log a finding about a file of scores."""
    logger.warning("%s: %s; %s", source, finding.text, finding.cure)


def examine(
    values: np.ndarray,
    is_first: np.ndarray,
    first: str = "target",
    second: str = "nontarget",
) -> list[Finding]:
    """Examine the scores of two classes in the order of their file.

    Args:
        values: (N,) scores; NaN is left out.
        is_first: (N,) bool, True for the class that should score higher.
        first: name of that class.
        second: name of the other class.

    Returns:
        what was found; nothing where a class is missing.

    Example:
        >>> [x.text for x in examine(np.zeros(9), np.arange(9) < 4)]
        ['all 9 scores are 0']
    """
    known = ~np.isnan(values)
    if not known.all():
        values, is_first = values[known], is_first[known]
    num_first = int(is_first.sum())
    if num_first in (0, len(values)):
        return []
    findings = _examine_values(values)
    if values.min() == values.max():
        return findings
    return findings + _examine_order(values, is_first, (first, second))


def _examine_values(values: np.ndarray) -> list[Finding]:
    """Examine the scores without their key."""
    findings = []
    total, low, high = len(values), values.min(), values.max()
    num_infinite = int(np.isinf(values).sum())
    if num_infinite:
        text = f"{num_infinite} of {total} scores are infinite, so that Cllr may be"
        cure = "what made them?  A logarithm of 0, or a probability of 1"
        findings.append(Finding("infinite", text, cure))
    if low == high:
        text = f"all {total} scores are {low:g}"
        cure = "were all inputs empty, or a model never trained?"
        return [*findings, Finding("constant", text, cure)]
    if not np.any((values != low) & (values != high)):
        text = f"fewer than {FEWEST} different scores: these are decisions"
        findings.append(Finding("decisions", text, "write what is compared to zero"))
        return findings
    # What more than half of the trials have is the median, too.
    median = np.partition(values, total // 2)[total // 2]
    share = float(np.mean(values == median))
    if share > COMMON:
        text = f"{100 * share:.0f} % of the scores are {median:g}"
        cure = "is it what a program writes that has failed, or a limit they run into?"
        findings.append(Finding("constant", text, cure))
    return findings


def _examine_order(
    values: np.ndarray, is_first: np.ndarray, names: tuple[str, str]
) -> list[Finding]:
    """Test whether a wrong sign, or misaligned rows, explain a high EER."""
    rate = _eer(values, is_first)
    parts = _parts(is_first)
    rates = [_eer(values[part], is_first[part]) for part in parts]
    worst, best = max(rates), min(rates)
    if rate <= SUSPICIOUS and not (worst > SUSPICIOUS and best < worst / 2):
        return []
    # The whole file, unless some parts of it are good.
    where, rows = "", slice(0, len(values))
    bad = np.flatnonzero(np.array(rates) > SUSPICIOUS)
    if best < worst / 2 and best < SUSPICIOUS and len(bad):
        rows = slice(parts[bad[0]].start, parts[bad[-1]].stop)
        where = f" in rows {rows.start + 1} to {rows.stop}, or so"
    found = _explain(values[rows], is_first[rows], names, where)
    if found is None and rate > CHANCE and _num_fewest(is_first) >= FEWEST_TRIALS:
        text = f"EER {100 * rate:.0f} %: hardly better than chance"
        cure = f"are these the scores of this list, and higher for {names[0]}?"
        found = Finding("chance", text, cure)
    return [found] if found else []


def _explain(
    values: np.ndarray, is_first: np.ndarray, names: tuple[str, str], where: str
) -> Finding | None:
    """Find what lowers the EER of these rows a lot: a shift, a sign, or some signs."""
    rate = _eer(values, is_first)
    error = 0.5 / np.sqrt(_num_fewest(is_first))  # standard error at chance
    shift, shifted = _best_shift(values[:MAX_ROWS], is_first[:MAX_ROWS])
    negated = _eer(-values, is_first)
    # The least of many shifts is low by chance, too.
    is_shifted = shifted < min(rate - max(GAIN, 4 * error), rate / 2)
    is_negated = negated < rate - max(GAIN, 2 * error)
    if is_shifted and is_negated and max(shifted, negated) > RIVAL:
        is_shifted, is_negated = negated > shifted / 2, shifted > negated / 2
    said = f"EER {100 * rate:.0f} %{where}"
    at = f"{abs(shift)} row{'s' if abs(shift) > 1 else ''} too "
    at += "low" if shift > 0 else "high"
    better = f"EER {100 * shifted:.2g} % if each is moved back"
    if is_shifted and is_negated:
        text = f"{said}: the scores look shifted, {at}, or their sign flipped: {better}"
        text += f", {100 * negated:.2g} % if multiplied by -1"
        cure = "where the classes alternate both look alike: compare some by their ids"
        return Finding("misaligned", text, cure)
    if is_shifted:
        text = f"{said}: the scores look shifted, {at}: {better}"
        return Finding("misaligned", text, "which line was lost or doubled?")
    if is_negated and where:
        text = f"{said}: there the sign looks flipped"
        cure = "multiply these by -1: did another program make them?"
        return Finding("some negated", text, cure)
    if is_negated and negated < HALF_NEGATED:
        text = f"{said}: the sign looks flipped"
        cure = f"higher must mean {names[0]}; multiply the scores by -1"
        return Finding("polarity", text, cure)
    if is_negated:
        text = f"{said}: the sign of many scores looks flipped, not of all"
        return Finding("some negated", text, f"higher must mean {names[0]} everywhere")
    return None


def _num_fewest(is_first: np.ndarray) -> int:
    """Count the trials of the rarer class."""
    return min(int(is_first.sum()), int(len(is_first) - is_first.sum()))


def _best_shift(values: np.ndarray, is_first: np.ndarray) -> tuple[int, float]:
    """Shift scores by a few rows against their keys; return the best shift, its EER."""
    best, least = 0, 1.0
    for size in range(1, min(MAX_SHIFT, len(values) // 2) + 1):
        for shift, scores, keys in (
            (size, values[size:], is_first[:-size]),
            (-size, values[:-size], is_first[size:]),
        ):
            rate = _eer(scores, keys) if 0 < keys.sum() < len(keys) else 1.0
            if rate < CLEARLY * least:  # where classes alternate, many are alike
                best, least = shift, rate
    return best, least


def _parts(is_first: np.ndarray) -> Sequence[slice]:
    """Cut a file into up to `MAX_PARTS` parts with enough trials of both classes."""
    total, num_parts = len(is_first), MAX_PARTS
    while num_parts > 1:
        edges = np.linspace(0, total, num_parts + 1).astype(np.int64)
        counts = np.add.reduceat(is_first, edges[:-1], dtype=np.int64)
        if min(counts.min(), (np.diff(edges) - counts).min()) >= FEWEST_TRIALS:
            break
        num_parts //= 2
    edges = np.linspace(0, total, num_parts + 1).astype(np.int64)
    return [slice(*pair) for pair in itertools.pairwise(edges)]


def _eer(values: np.ndarray, is_first: np.ndarray) -> float:
    """Compute the EER of (N,) scores with (N,) bool keys."""
    return eer(values[is_first], values[~is_first])
