"""Metrics of spoofing-aware speaker verification (SASV): one score, three classes.

A system accepts targets and rejects nontargets and spoofs alike; how it does this
inside, with one model or two, does not matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asdkit.metrics.det import ascending, distinct
from asdkit.metrics.detection_costs import A_DCF, DetectionCosts
from asdkit.metrics.eer import eer


class SasvEers(NamedTuple):
    """Equal error rates of target trials against one kind of the others, or both.

    Attributes:
        sasv: against nontarget and spoofed trials, every trial counting once.
        sv: against nontarget trials.
        spf: against spoofed trials.
    """

    sasv: float
    sv: float
    spf: float


class SasvPoint(NamedTuple):
    """One threshold and its three error rates.

    Attributes:
        threshold: the highest rejected score; minus infinity rejects none.
        miss_rate: fraction of target trials that are rejected.
        false_alarm_rate: fraction of nontarget trials that are accepted.
        spoof_rate: fraction of spoofed trials that are accepted.
    """

    threshold: float
    miss_rate: float
    false_alarm_rate: float
    spoof_rate: float


def sasv_eers(target: np.ndarray, nontarget: np.ndarray, spoof: np.ndarray) -> SasvEers:
    """Return SASV-EER, SV-EER and SPF-EER.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.
        spoof: (L,) scores of spoofed trials.

    Returns:
        fractions in [0, 1]; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Source: J. Jung et al., "SASV 2022: the first spoofing-aware speaker verification
    challenge", Interspeech 2022; the EER as `asdkit.metrics.eer` defines it.
    """
    target, nontarget, spoof = _sorted(target, nontarget, spoof)
    negative = np.concatenate([nontarget, spoof])
    return SasvEers(eer(target, negative), eer(target, nontarget), eer(target, spoof))


def a_dcf(
    target: np.ndarray,
    nontarget: np.ndarray,
    spoof: np.ndarray,
    costs: DetectionCosts = A_DCF,
) -> float:
    """Return the lowest architecture-agnostic detection cost over all thresholds.

    Args:
        target: (N,) scores of target trials; higher means target.
        nontarget: (M,) scores of nontarget trials.
        spoof: (L,) scores of spoofed trials.
        costs: costs and priors, by default the paper's; ASVspoof 5's are `ASVSPOOF`.

    Returns:
        the cost divided by that of the better of accepting all and rejecting all, in
        [0, 1]; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.

    Source: H. Shim et al., "a-DCF: an architecture agnostic metric with application to
    spoofing-robust speaker verification", Odyssey 2024.
    """
    _, miss, false_alarm, passed = a_dcf_point(target, nontarget, spoof, costs)
    cost = costs.miss * miss + costs.false_alarm * false_alarm + costs.spoof * passed
    return cost / min(costs.miss, costs.false_alarm + costs.spoof)


def a_dcf_point(
    target: np.ndarray,
    nontarget: np.ndarray,
    spoof: np.ndarray,
    costs: DetectionCosts = A_DCF,
) -> SasvPoint:
    """Find the threshold of the lowest a-DCF, the lowest if several have it.

    Arguments and errors as in `a_dcf`.
    """
    target, nontarget, spoof = _sorted(target, nontarget, spoof)
    # Cost falls between targets and can rise at one only: look just below each.
    below = distinct(target)
    misses, rejected, stopped = (
        np.append(np.searchsorted(scores, below, side="left"), len(scores))
        for scores in (target, nontarget, spoof)
    )
    cost = misses * (costs.miss / len(target))
    cost -= rejected * (costs.false_alarm / len(nontarget))
    cost -= stopped * (costs.spoof / len(spoof))
    cost += costs.false_alarm + costs.spoof
    # The first of all that are least; which one must not be left to rounding.
    best = int(np.argmax(cost <= cost.min() + 1e-12))
    counts = int(misses[best]), int(rejected[best]), int(stopped[best])
    classes = target, nontarget, spoof
    highest = [s[:n][-1] for s, n in zip(classes, counts, strict=True) if n]
    return SasvPoint(
        float(max(highest, default=-np.inf)),
        counts[0] / len(target),
        (len(nontarget) - counts[1]) / len(nontarget),
        (len(spoof) - counts[2]) / len(spoof),
    )


def _sorted(
    target: np.ndarray, nontarget: np.ndarray, spoof: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort the scores of the three classes."""
    return (
        ascending(target, "target"),
        ascending(nontarget, "nontarget"),
        ascending(spoof, "spoof"),
    )
