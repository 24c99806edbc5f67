"""Threshold cards: how often a bundle's threshold errs, and on whom.

The intervals are of 95 %, from resampled speakers: trials that share a speaker are not
independent, and an interval that takes them for such is too narrow.  Where none or all
are wrong, it ends where as many independent speakers would show it 19 times of 20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

CANNOT = (
    "It cannot say how the threshold does on other recordings than these: in another "
    "session, on another device, in the noise of a street, or in another language."
)
NUM_REPLICATES = 300
INTERVAL = (2.5, 97.5)  # percentiles
ALPHA = 0.05


class Group(NamedTuple):
    """Trials of one row.

    Attributes:
        llrs: (N,) calibrated scores.
        is_target: (N,) bool.
        spk: (N, 2) speakers of both sides, of any sortable type.
        num_recordings: test recordings; None: not counted.
        num_refused: of these, recordings with too little speech.
    """

    llrs: np.ndarray
    is_target: np.ndarray
    spk: np.ndarray
    num_recordings: int | None = None
    num_refused: int | None = None

    def of(self, members: np.ndarray) -> Group:
        """Take some of the trials: (N,) bool."""
        return Group(self.llrs[members], self.is_target[members], self.spk[members])


def make_card(
    groups: Mapping[str, Group],
    threshold: float,
    source: str,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Count false rejections and acceptances, in all and by group.

    Args:
        groups: name of a row -> its trials.
        threshold: accept above it.
        source: the trials, in words.
        seed: of the resampled speakers.
        notes: what else is to be said of them.

    Returns:
        JSON values; rates are fractions, None where a class has no trial.
    """
    names = np.unique(np.concatenate([x.spk.ravel() for x in groups.values()]))
    rng = np.random.default_rng(seed)
    equal = np.full(len(names), 1 / len(names))
    draws = rng.multinomial(len(names), equal, NUM_REPLICATES)
    weights = draws.astype(np.float64)
    rows = []
    for name, group in groups.items():
        index = np.searchsorted(names, group.spk)
        accepted = group.llrs > threshold
        row: dict[str, Any] = {"group": name}
        for rate, of, wrong in (
            ("false_rejections", group.is_target, ~accepted),
            ("false_acceptances", ~group.is_target, accepted),
        ):
            row[rate] = _rate(wrong[of], index[of], weights)
        row["num_speakers"] = len(np.unique(group.spk))
        row["num_recordings"] = group.num_recordings
        row["num_refused"] = group.num_refused
        rows.append(row)
    return {
        "cannot": CANNOT,
        "threshold": threshold,
        "trials": source,
        "notes": list(notes),
        "rows": rows,
    }


def _rate(
    wrong: np.ndarray, index: np.ndarray, weights: np.ndarray
) -> dict[str, Any] | None:
    """Estimate a rate from (N,) errors of pairs of (N, 2) speakers."""
    if not len(wrong):
        return None
    same = index[:, 0] == index[:, 1]
    found = []
    for drawn in weights:
        # A pair of one speaker comes as often as the speaker, not its square.
        first, second = drawn[index[:, 0]], drawn[index[:, 1]]
        pair = np.where(same, first, first * second)
        if total := pair.sum():
            found.append(float(pair @ wrong / total))
    low, high = np.percentile(found, INTERVAL) if found else (0.0, 1.0)
    if low == high:  # no draw differs: what as many independent speakers could hide
        hidden = 1 - ALPHA ** (1 / len(np.unique(index)))
        low, high = max(0.0, low - hidden), min(1.0, high + hidden)
    return {
        "rate": float(wrong.mean()),
        "low": float(low),
        "high": float(high),
        "num_trials": len(wrong),
    }
