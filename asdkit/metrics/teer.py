"""The concurrent tandem equal error rate (t-EER) of a CM and an ASV system.

A trial is accepted if both accept it.  With a CM at threshold c and an ASV system at
threshold a, and a share rho of spoofs among the trials to be rejected,

    Pmiss = Pmiss_cm(c) + (1 - Pmiss_cm(c)) Pmiss_asv(a)                            (1)
    Pfa = (1 - rho) (1 - Pmiss_cm(c)) Pfa_non(a) + rho Pfa_cm(c) Pfa_spf(a)         (2)

and the t-EER path holds for every a the c where (1) and (2) are nearest.  On that path
is a point whose error does not depend on rho, where

    Pfa_non(a) / Pfa_spf(a) = Pfa_cm(c) / (1 - Pmiss_cm(c))                         (3)

and the error there, Pfa_cm(c) Pfa_spf(a), is the concurrent t-EER: one number without
priors or costs.  With finitely many trials it is the point of the path, at rho = 0.5,
where both sides of (3) are nearest.

(1) - (2) rises with c and with a.  So the path is found by bisection, and it falls: a
run of ASV thresholds needs only the CM thresholds between the two that belong to its
ends.  Run by run, all thresholds are looked at in O(N log N) time, and in memory for a
run beyond the sorted scores.

Source: T. Kinnunen et al., "t-EER: parameter-free tandem evaluation of countermeasures
and biometric comparators", IEEE TPAMI 2023.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asdkit.metrics.det import ascending, distinct

RHO = 0.5
RUN = 1 << 16  # ASV thresholds at a time: their arrays fit into the cache


class TeerPoint(NamedTuple):
    """The concurrent operating point.

    Attributes:
        teer: the concurrent t-EER, a fraction.
        cm_threshold: highest rejected CM score.
        asv_threshold: highest rejected ASV score.
    """

    teer: float
    cm_threshold: float
    asv_threshold: float


class _Curves:
    """Sorted scores of several classes, and the thresholds where their rates change.

    Attributes:
        thresholds: (P,) minus infinity, then every distinct score, rising.
    """

    def __init__(self, **classes: np.ndarray) -> None:
        self.classes = [ascending(scores, name) for name, scores in classes.items()]
        merged = distinct(ascending(np.concatenate(self.classes), "pooled"))
        self.thresholds = np.concatenate([[-np.inf], merged])

    def rejected(self, start: int, stop: int) -> list[np.ndarray]:
        """Measure at thresholds start to stop which share of every class is rejected.

        Returns:
            (stop - start,) per class.
        """
        at = self.thresholds[start:stop]
        shares = []
        for scores in self.classes:
            first, last = np.searchsorted(scores, at[[0, -1]], side="right")
            count = first + np.searchsorted(scores[first:last], at, side="right")
            shares.append(count / len(scores))
        return shares


def concurrent_teer(
    cm_bonafide: np.ndarray,
    cm_spoof: np.ndarray,
    asv_target: np.ndarray,
    asv_nontarget: np.ndarray,
    asv_spoof: np.ndarray,
) -> float:
    """Return the concurrent t-EER.

    The systems are judged by their own trials, which need not be the same.

    Args:
        cm_bonafide: (N,) CM scores of bona fide speech; higher means bona fide.
        cm_spoof: (M,) CM scores of spoofed speech.
        asv_target: (K,) ASV scores of target trials; higher means target.
        asv_nontarget: (L,) ASV scores of nontarget trials.
        asv_spoof: (S,) ASV scores of spoofed trials.

    Returns:
        a fraction in [0, 1]; smaller is better.  NaN if no threshold of the ASV system
        lets spoofs in while missing fewer targets than it accepts others.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    classes = cm_bonafide, cm_spoof, asv_target, asv_nontarget, asv_spoof
    return concurrent_point(*classes).teer


def concurrent_point(
    cm_bonafide: np.ndarray,
    cm_spoof: np.ndarray,
    asv_target: np.ndarray,
    asv_nontarget: np.ndarray,
    asv_spoof: np.ndarray,
) -> TeerPoint:
    """Find the concurrent operating point, the lowest ASV threshold if several are.

    Arguments and errors as in `concurrent_teer`.
    """
    cm = _Curves(bonafide=cm_bonafide, spoof=cm_spoof)
    asv = _Curves(target=asv_target, nontarget=asv_nontarget, spoof=asv_spoof)
    best, nearest = TeerPoint(np.nan, np.nan, np.nan), np.inf
    upper = len(cm.thresholds)
    for start in range(0, len(asv.thresholds), RUN):
        miss, *rejected = asv.rejected(start, start + RUN)
        accepted, passed = (1 - share for share in rejected)
        # The path exists where the ASV system alone errs on the lenient side.
        inside = int(np.sum(miss < (1 - RHO) * accepted + RHO * passed))
        if inside == 0:
            break
        rates = miss[:inside], accepted[:inside], passed[:inside]
        last = _crossing(cm, rates, inside - 1, 0, upper)
        low, high = max(last - 1, 0), upper
        path, cm_miss, cm_false_alarm = _path(cm, rates, low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            left, right = rates[1] / rates[2], cm_false_alarm / (1 - cm_miss)
            gap = np.nan_to_num(np.abs(left - right), nan=np.inf)  # (3)
        row = int(np.argmin(gap))
        if gap[row] < nearest:
            nearest = gap[row]
            teer = float(rates[2][row] * cm_false_alarm[row])
            at = float(cm.thresholds[path[row]]), float(asv.thresholds[start + row])
            best = TeerPoint(teer, *at)
        upper = min(last + 1, len(cm.thresholds))
    return best


def _crossing(
    cm: _Curves, rates: tuple[np.ndarray, ...], row: int, low: int, high: int
) -> int:
    """Find the first CM threshold in [low, high) where (1) is not below (2)."""
    one = tuple(rate[row] for rate in rates)
    while low < high:
        middle = (low + high) // 2
        cm_miss, cm_stopped = cm.rejected(middle, middle + 1)
        if _difference(cm_miss, cm_stopped, one)[0] < 0:
            low = middle + 1
        else:
            high = middle
    return low


def _path(
    cm: _Curves, rates: tuple[np.ndarray, ...], low: int, high: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find for (A,) ASV thresholds the CM threshold in [low, high) on the path.

    Returns:
        (A,) numbers of the CM thresholds, with their (A,) miss and false alarm rates.
    """
    cm_miss, cm_stopped = cm.rejected(low, high)
    first = np.zeros(len(rates[0]), dtype=np.int64)
    last = np.full(len(rates[0]), high - low - 1)
    while np.any(first < last):
        middle = (first + last) // 2
        below = _difference(cm_miss[middle], cm_stopped[middle], rates) < 0
        first = np.where(below & (first < last), middle + 1, first)
        last = np.where(below, last, np.minimum(middle, last))
    before = np.maximum(first - 1, 0)
    size_before, size = (
        np.abs(_difference(cm_miss[at], cm_stopped[at], rates))
        for at in (before, first)
    )
    nearest = np.where(size_before <= size, before, first)
    return low + nearest, cm_miss[nearest], 1 - cm_stopped[nearest]


def _difference(
    cm_miss: np.ndarray, cm_stopped: np.ndarray, rates: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Subtract (2) from (1)."""
    asv_miss, accepted, passed = rates
    cm_passed = 1 - cm_miss
    miss = cm_miss + cm_passed * asv_miss  # (1)
    return miss - (
        (1 - RHO) * cm_passed * accepted + RHO * (1 - cm_stopped) * passed
    )  # (2)
