"""The tandem detection cost (t-DCF) of a countermeasure in front of a fixed ASV system.

A countermeasure (CM) passes speech on to automatic speaker verification (ASV).  With
the ASV system at its EER threshold, errors of the CM cost

    t-DCF(t) = C0 + C1 Pmiss_cm(t) + C2 Pfa_cm(t)                                   (1)
    C0 = Ptar Cmiss Pmiss_asv + Pnon Cfa Pfa_asv                                    (2)
    C1 = Ptar Cmiss - C0                                                            (3)
    C2 = Pspoof Cfa_spoof Pfa_spoof_asv                                             (4)

The 2021 form divides (1) by C0 + min(C1, C2), the cost of the better of an absent and
a shut CM, and cannot fall below C0 / (C0 + min(C1, C2)).  The legacy form of 2019
leaves C0 out, above and below the line.  Their numbers do not compare: ASVspoof 2019 is
reported in the legacy form, 2021 and 5 in the other, and no table here has both.

Source: T. Kinnunen et al., "Tandem assessment of spoofing countermeasures and automatic
speaker verification: fundamentals", IEEE TASLP 2020, for (1) to (4) and the 2021 form;
T. Kinnunen et al., "t-DCF: a detection cost function for the tandem assessment of
spoofing countermeasures and automatic speaker verification", Odyssey 2018, for the
legacy form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asdkit.base.errors import FitError
from asdkit.metrics.dcf import cheapest_point
from asdkit.metrics.det import ascending, count_rejected
from asdkit.metrics.detection_costs import ASVSPOOF, DetectionCosts, normalize
from asdkit.metrics.eer import eer_point


class AsvRates(NamedTuple):
    """The error rates of an ASV system at one threshold, in fractions.

    Attributes:
        miss: miss rate of targets.
        false_alarm: false alarm rate of nontargets.
        spoof_false_alarm: false alarm rate of spoofs.
    """

    miss: float
    false_alarm: float
    spoof_false_alarm: float


# What ASVspoof 5's evaluation package takes where a team has no ASV system of its own.
ASVSPOOF5_RATES = AsvRates(0.01880141010575793, 0.01881016557566423, 0.4607082907604729)


class TandemWeights(NamedTuple):
    """C0, C1 and C2: the weights of the ASV system's errors and of the CM's."""

    c0: float
    c1: float
    c2: float

    @property
    def floor(self) -> float:
        """The 2021 form of a perfect CM: only the ASV system's errors remain."""
        return normalize(self.c0, self.c0 + min(self.c1, self.c2))


def asv_rates(target: np.ndarray, nontarget: np.ndarray, spoof: np.ndarray) -> AsvRates:
    """Measure an ASV system at the threshold of its EER between target and nontarget.

    Accepted is what reaches that threshold, as in the challenges' packages.

    Args:
        target: (N,) ASV scores of target trials; higher means target.
        nontarget: (M,) ASV scores of nontarget trials.
        spoof: (L,) ASV scores of spoofed trials.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    target, nontarget = ascending(target, "target"), ascending(nontarget, "nontarget")
    spoof = ascending(spoof, "spoof")
    threshold = eer_point(target, nontarget).threshold
    misses, rejected = count_rejected(target, nontarget, threshold, "left")
    passed = len(spoof) - int(np.searchsorted(spoof, threshold, side="left"))
    return AsvRates(
        float(misses / len(target)),
        float((len(nontarget) - rejected) / len(nontarget)),
        passed / len(spoof),
    )


def tandem_weights(rates: AsvRates, costs: DetectionCosts = ASVSPOOF) -> TandemWeights:
    """Turn the error rates of an ASV system into the weights of a CM's errors.

    Raises:
        FitError: the ASV system is worse than one that rejects everybody, so that no
            CM in front of it can help.
    """
    c0 = costs.miss * rates.miss + costs.false_alarm * rates.false_alarm  # (2)
    c1 = costs.miss - c0  # (3)
    c2 = costs.spoof * rates.spoof_false_alarm  # (4)
    if c1 < 0:
        raise FitError(
            f"t-DCF: the ASV system misses {100 * rates.miss:.1f} % and accepts "
            f"{100 * rates.false_alarm:.1f} % of nontargets, worse than none",
            hint="is the sign of its scores flipped?  Higher means target",
        )
    return TandemWeights(c0, c1, c2)


def min_tdcf_2021(
    bonafide: np.ndarray, spoof: np.ndarray, weights: TandemWeights
) -> float:
    """Return the lowest t-DCF over all CM thresholds, in the 2021 form.

    Args:
        bonafide: (N,) CM scores of bona fide utterances; higher means bona fide.
        spoof: (M,) CM scores of spoofed utterances.
        weights: of the ASV system, from `tandem_weights`.

    Returns:
        the cost in [floor, 1]; smaller is better.

    Raises:
        ValueError: a class is empty, or a score is NaN.
    """
    c0, c1, c2 = weights
    point = cheapest_point(bonafide, spoof, c1, c2)
    cost = c0 + c1 * point.miss_rate + c2 * point.false_alarm_rate  # (1)
    return normalize(cost, c0 + min(c1, c2))


def min_tdcf_2019(
    bonafide: np.ndarray, spoof: np.ndarray, weights: TandemWeights
) -> float:
    """Return the lowest t-DCF over all CM thresholds, in the legacy form.

    Arguments and errors as in `min_tdcf_2021`.

    Returns:
        the cost in [0, 1]; smaller is better.  NaN where the ASV system accepts no
        spoof, so that there is nothing for a CM to gain.
    """
    _, c1, c2 = weights
    point = cheapest_point(bonafide, spoof, c1, c2)
    cost = c1 * point.miss_rate + c2 * point.false_alarm_rate
    return normalize(cost, min(c1, c2))
