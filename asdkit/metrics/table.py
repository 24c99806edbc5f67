"""A table of systems and their metrics, for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from asdkit.metrics.cllr import cllr, min_cllr
from asdkit.metrics.dcf import min_dcf
from asdkit.metrics.det import ascending
from asdkit.metrics.eer import eer, kaldi_eer

Metric = Callable[[np.ndarray, np.ndarray], float]

VERIFICATION: dict[str, Metric] = {
    "EER %": lambda target, nontarget: 100 * eer(target, nontarget),
    "Kaldi EER %": lambda target, nontarget: 100 * kaldi_eer(target, nontarget),
    "minDCF(0.01)": lambda target, nontarget: min_dcf(target, nontarget, 0.01),
    "minDCF(0.001)": lambda target, nontarget: min_dcf(target, nontarget, 0.001),
    "Cllr": cllr,
    "minCllr": min_cllr,
}


def verification_table(
    systems: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> str:
    """Format the metrics of speaker verification, one line per system.

    Args:
        systems: name -> (N,) scores of target and (M,) of nontarget trials.

    Returns:
        lines without a newline at the end.
    """
    rows = [["scores", *VERIFICATION, "target", "nontarget"]]
    for name, classes in systems.items():
        target, nontarget = map(ascending, classes, ("target", "nontarget"))
        values = [metric(target, nontarget) for metric in VERIFICATION.values()]
        counts = [f"{len(target)}", f"{len(nontarget)}"]
        rows.append([name, *(f"{value:.4f}" for value in values), *counts])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    )
