"""Threshold cards: how often a bundle's threshold errs, and on whom.

The intervals are of 95 %, from resampled speakers: trials that share a speaker are not
independent, and an interval that takes them for such is too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asdkit.base.answers import Cell, Table, number

CANNOT = (
    "It cannot say how the threshold does on other recordings than these: in another "
    "session, on another device, in noise, or in another language."
)
NUM_REPLICATES = 300
INTERVAL = (2.5, 97.5)  # percentiles


def make_card(
    llrs: np.ndarray,
    is_target: np.ndarray,
    spk: np.ndarray,
    groups: Mapping[str, np.ndarray],
    threshold: float,
    source: str,
    seed: int = 0,
) -> dict[str, Any]:
    """Count false rejections and acceptances, in all and by group.

    Args:
        llrs: (N,) calibrated scores of trials.
        is_target: (N,) bool.
        spk: (N, 2) speakers of both sides, of any sortable type.
        groups: name of a group -> (N,) bool, the trials in it.
        threshold: accept above it.
        source: the trials, in words.
        seed: of the resampled speakers.

    Returns:
        JSON values; rates are fractions, None where a class has no trial.
    """
    names, index = np.unique(spk, return_inverse=True)
    index = index.reshape(spk.shape)
    rng = np.random.default_rng(seed)
    shape = (NUM_REPLICATES, len(names))
    draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), shape[0])
    weights = draws.astype(np.float64)
    accepted = llrs > threshold
    rows = []
    for name, members in {"all": np.ones(len(llrs), dtype=bool), **groups}.items():
        row: dict[str, Any] = {"group": name}
        for rate, of, wrong in (
            ("false_rejections", members & is_target, ~accepted),
            ("false_acceptances", members & ~is_target, accepted),
        ):
            row[rate] = _rate(wrong[of], index[of], weights)
        rows.append(row)
    return {"cannot": CANNOT, "threshold": threshold, "trials": source, "rows": rows}


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
    return {
        "rate": float(wrong.mean()),
        "low": float(low),
        "high": float(high),
        "num_trials": len(wrong),
    }


def card_table(card: Mapping[str, Any]) -> Table:
    """Show a card."""
    titles = (
        "group",
        "target",
        "rejected %",
        "95 %",
        "nontarget",
        "accepted %",
        "95 %",
    )
    rows: list[Sequence[Cell | str]] = []
    for row in card["rows"]:
        cells: list[Cell | str] = [row["group"]]
        for rate in (row["false_rejections"], row["false_acceptances"]):
            if rate is None:
                cells += [number(None), number(None), ""]
                continue
            between = f"{100 * rate['low']:.1f} to {100 * rate['high']:.1f}"
            cells += [number(rate["num_trials"], ",")]
            cells += [Cell(f"{100 * rate['rate']:.2f}", rate["rate"]), between]
        rows.append(cells)
    notes = [f"Threshold {card['threshold']:.3f}; trials: {card['trials']}."]
    return Table(titles, rows, notes=notes, title=card["cannot"])
