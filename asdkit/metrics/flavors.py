"""Metric flavors: the sets of metrics that challenges and fields report.

A flavor has one form of the t-DCF and one only, and a table has one flavor: the legacy
numbers of ASVspoof 2019 and those of 2021 and 5 cannot come to stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.metrics import weighted
from asdkit.metrics.cllr import cllr, min_cllr
from asdkit.metrics.dcf import act_dcf, min_dcf
from asdkit.metrics.detection_costs import ASVSPOOF
from asdkit.metrics.eer import eer, kaldi_eer, voxsrc_eer
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


class OperatingCosts(NamedTuple):
    """An operating point: the costs of errors, and the prior of targets.

    Attributes:
        p_target: prior of target trials, in (0, 1).
        c_miss: cost of rejecting a target.
        c_fa: cost of accepting a nontarget.
    """

    p_target: float
    c_miss: float = 1.0
    c_fa: float = 1.0

    def __str__(self) -> str:
        costs = () if self[1:] == (1, 1) else self[1:]
        return ",".join(f"{value:g}" for value in (self.p_target, *costs))


def operating_points(
    p_target: Sequence[float], c_miss: Sequence[float], c_fa: Sequence[float]
) -> list[OperatingCosts]:
    """Combine priors and costs to operating points, each value with its neighbors.

    Args:
        p_target: priors of targets; none: no operating points.
        c_miss: costs of rejecting a target, one or as many.
        c_fa: costs of accepting a nontarget, one or as many.

    Raises:
        AsdkitError: there are neither as many of one as of another, nor one.

    Example:
        >>> [f"{point}" for point in operating_points([0.01, 0.5], [1.0], [1.0, 10.0])]
        ['0.01', '0.5,1,10']
    """
    size = len(p_target)
    lists = {"--p-target": p_target, "--c-miss": c_miss, "--c-fa": c_fa}
    for flag, values in lists.items():
        if not size and tuple(values) not in ((), (1.0,)):
            raise AsdkitError(f"{flag} needs --p-target, the prior of targets")
        if size and len(values) not in (1, size):
            problem = f"expected one {flag} or {size}, as of --p-target"
            raise AsdkitError(f"{problem}; got {len(values)}")
    wide = [[*values] * (size if len(values) == 1 else 1) for values in lists.values()]
    return [OperatingCosts(*point) for point in zip(*wide, strict=True)] if size else []


def min_dcf_metric(costs: OperatingCosts) -> Metric:
    """Make the column of a minDCF."""
    options = costs._asdict()
    return Metric(
        f"minDCF({costs})",
        partial(min_dcf, **options),
        partial(weighted.min_dcf, **options),
    )


def dcf_metrics(*points: OperatingCosts) -> tuple[Metric, ...]:
    """Make the columns of the minDCF and the actDCF at operating points."""
    columns: list[Metric] = []
    for costs in points:
        options = costs._asdict()
        actual = partial(act_dcf, **options), partial(weighted.act_dcf, **options)
        columns += [min_dcf_metric(costs), Metric(f"actDCF({costs})", *actual)]
    return tuple(columns)


# Behind them are the costs at the operating points, and Cllr.
VERIFICATION = {
    "kaldi": (
        EER,
        Metric("Kaldi EER %", kaldi_eer, scale=100),
    ),
    "voxceleb": (
        EER,
        Metric("VoxSRC EER %", voxsrc_eer, weighted.voxsrc_eer, 100),
    ),
}
OPERATING_POINTS = {
    "kaldi": (OperatingCosts(0.01), OperatingCosts(0.001)),
    "voxceleb": (OperatingCosts(0.05), OperatingCosts(0.01)),
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


def verification_metrics(
    flavor: str, points: Sequence[OperatingCosts] = ()
) -> tuple[Metric, ...]:
    """List the metrics of verification scores, target and nontarget.

    Args:
        flavor: one of `VERIFICATION`.
        points: operating points of the costs; none: those of the flavor.
    """
    costs = dcf_metrics(*(points or OPERATING_POINTS[flavor]))
    return (*VERIFICATION[flavor], *costs, CLLR, MIN_CLLR)


def cm_metrics(
    flavor: str,
    tandem: Tandem | None = None,
    points: Sequence[OperatingCosts] = (),
) -> tuple[Metric, ...]:
    """List the metrics of countermeasure scores, bona fide and spoofed.

    Args:
        flavor: one of `CM`.
        tandem: ASV system; None omits the metrics that need one.
        points: further operating points, bona fide speech for targets.
    """
    further = tandem_metrics(flavor, tandem) if tandem else ()
    return (*CM[flavor], *dcf_metrics(*points), *further)


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
