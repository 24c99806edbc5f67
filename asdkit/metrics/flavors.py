"""Metric flavors: the sets of metrics that challenges and fields report.

A flavor has one form of the t-DCF and one only, and a table has one flavor: the legacy
numbers of ASVspoof 2019 and those of 2021 and 5 cannot come to stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from asdkit.metrics import weighted
from asdkit.metrics.cllr import cllr, min_cllr
from asdkit.metrics.dcf import act_dcf, min_dcf
from asdkit.metrics.detection_costs import ASVSPOOF
from asdkit.metrics.eer import eer, kaldi_eer
from asdkit.metrics.sasv import a_dcf, sasv_eers
from asdkit.metrics.tdcf import TandemWeights, min_tdcf_2019, min_tdcf_2021
from asdkit.metrics.teer import concurrent_teer
from asdkit.metrics.weighted import Statistic, WeightedTrials


class Metric(NamedTuple):
    """A column of a table.

    Attributes:
        title: column title.
        value: (N_k,) scores of every class -> the number.
        statistic: the same for weighted trials, for intervals; None if there is none.
        scale: factor for printing, 100 for percent.
    """

    title: str
    value: Callable[..., float]
    statistic: Statistic | None = None
    scale: float = 1.0


class Tandem(NamedTuple):
    """The ASV system used to evaluate a countermeasure.

    Attributes:
        weights: C0, C1, C2 at its operating point.
        scores: (N_k,) scores of target, nontarget and spoofed trials; empty if only its
            error rates are known.
    """

    weights: TandemWeights
    scores: Sequence[np.ndarray] = ()


EER = Metric("EER %", eer, weighted.eer, 100)
CLLR = Metric("Cllr", cllr, weighted.cllr)
MIN_CLLR = Metric("minCllr", min_cllr)
OF_BONAFIDE: dict[str, Any] = {
    "p_target": 1 - ASVSPOOF.p_spoof,
    "c_miss": ASVSPOOF.c_miss,
    "c_fa": ASVSPOOF.c_fa_spoof,
}


def min_dcf_metric(p_target: float) -> Metric:
    """Make the column of a minDCF with costs of one.

    Args:
        p_target: prior of target trials.
    """
    return Metric(
        f"minDCF({p_target:g})",
        partial(min_dcf, p_target=p_target),
        partial(weighted.min_dcf, p_target=p_target),
    )


VERIFICATION = {
    "kaldi": (
        EER,
        Metric("Kaldi EER %", kaldi_eer, scale=100),
        min_dcf_metric(0.01),
        min_dcf_metric(0.001),
        CLLR,
        MIN_CLLR,
    ),
    "voxceleb": (EER, min_dcf_metric(0.05), min_dcf_metric(0.01), CLLR, MIN_CLLR),
}
CM = {
    "asvspoof2019": (EER, CLLR, MIN_CLLR),
    "asvspoof2021": (EER, CLLR, MIN_CLLR),
    "asvspoof5": (
        Metric(
            "minDCF",
            partial(min_dcf, **OF_BONAFIDE),
            partial(weighted.min_dcf, **OF_BONAFIDE),
        ),
        Metric(
            "actDCF",
            partial(act_dcf, **OF_BONAFIDE),
            partial(weighted.act_dcf, **OF_BONAFIDE),
        ),
        EER,
        CLLR,
        MIN_CLLR,
    ),
}
TDCF = {
    "asvspoof2019": ("2019", min_tdcf_2019, weighted.min_tdcf_2019),
    "asvspoof2021": ("2021", min_tdcf_2021, weighted.min_tdcf_2021),
    "asvspoof5": ("2021", min_tdcf_2021, weighted.min_tdcf_2021),
}
SASV = (
    Metric("SASV-EER %", lambda *c: sasv_eers(*c).sasv, weighted.sasv_eer, 100),
    Metric("SV-EER %", lambda *c: sasv_eers(*c).sv, weighted.eer, 100),
    Metric("SPF-EER %", lambda *c: sasv_eers(*c).spf, weighted.spf_eer, 100),
    Metric("a-DCF", a_dcf, weighted.a_dcf),
    Metric(
        "a-DCF(ASVspoof 5)",
        partial(a_dcf, costs=ASVSPOOF),
        partial(weighted.a_dcf, costs=ASVSPOOF),
    ),
)


def cm_metrics(flavor: str, tandem: Tandem | None = None) -> tuple[Metric, ...]:
    """List the metrics of countermeasure scores, bona fide and spoofed.

    Args:
        flavor: one of `CM`.
        tandem: ASV system; None omits the metrics that need one.
    """
    return CM[flavor] + (tandem_metrics(flavor, tandem) if tandem else ())


def tandem_metrics(flavor: str, tandem: Tandem) -> tuple[Metric, ...]:
    """List the metrics of countermeasure scores that involve an ASV system.

    Args:
        flavor: one of `CM`.
        tandem: the ASV system.
    """
    year, value, statistic = TDCF[flavor]
    tdcf = Metric(
        f"min t-DCF({year})",
        partial(_with_weights, value, tandem.weights),
        partial(_of_weighted, statistic, tandem.weights),
    )
    if not tandem.scores:
        return (tdcf,)
    teer = partial(_teer, tandem.scores)
    return tdcf, Metric("t-EER %", teer, scale=100)


def without_value(metric: Metric) -> Metric:
    """Keep the column of a metric where it has no value."""
    return Metric(metric.title, lambda *classes: np.nan)


def _with_weights(
    value: Callable[..., float], weights: TandemWeights, *classes: np.ndarray
) -> float:
    """Compute a t-DCF of bona fide and spoofed scores."""
    return value(*classes, weights)


def _of_weighted(
    statistic: Callable[[WeightedTrials, TandemWeights], float],
    weights: TandemWeights,
    trials: WeightedTrials,
) -> float:
    """Compute a t-DCF of weighted trials."""
    return statistic(trials, weights)


def _teer(asv_scores: Sequence[np.ndarray], *classes: np.ndarray) -> float:
    """Compute the concurrent t-EER of bona fide and spoofed scores."""
    return concurrent_teer(*classes, *asv_scores)
