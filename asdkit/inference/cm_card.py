"""Cards of countermeasures: what a calibrated threshold is worth, attack by attack.

Intervals are Wilson's, of 95 %, and take recordings for independent: those of one
speaker are not, so they are rather too narrow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle_sources import Sources
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName, read_table
from asdkit.metrics.cllr import cllr, min_cllr
from asdkit.metrics.eer import eer

CANNOT = (
    "It cannot say how the countermeasure does on other attacks than these, or on "
    "other recordings: attacks that it has not met are usually found less often."
)
SAME = (
    "These are the very recordings that calibrated it (no --cm-card-scores), so the "
    "rates are better than they will be."
)
Z = 1.96  # of a normal distribution, for 95 %


def read_labelled(
    key_path: PathName, scores_path: PathName
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read scores of a countermeasure, and what the recordings are.

    Args:
        key_path: utt2attack, ``bonafide`` or the name of an attack.
        scores_path: ``<utt> <score>``, all of them in the key.

    Returns:
        N utterances, their (N,) scores, and (N,) attacks.

    Raises:
        DataError: a file is damaged, or lacks an utterance or a class.
    """
    key = read_table(key_path)
    scores = read_cm_scores(scores_path)
    unknown = [utt for utt in scores.utt if utt not in key]
    if unknown:
        problem = f"{len(unknown)} of its utterances are not in {key_path}"
        raise DataError(scores_path, f"{problem}, e.g. {unknown[0]!r}")
    attacks = np.array([key[utt] for utt in scores.utt])
    if (attacks == BONAFIDE).all() or not (attacks == BONAFIDE).any():
        raise DataError(key_path, "expected bona fide and spoofed recordings")
    return list(scores.utt), np.asarray(scores.values), attacks


def cm_card_of(
    sources: Sources, calibration: Any, threshold: float
) -> dict[str, Any] | None:
    """Make a card of a calibrated countermeasure; None: it is not calibrated.

    Args:
        sources: cm_card_key and cm_card_scores, or else those of the calibration.
        calibration: of its scores; None: none.
        threshold: accept as bona fide above it.

    Raises:
        AsdkitError: only one of the files is given, or there is no calibration.
        DataError: a file is damaged; or a recording calibrated the scores.
    """
    card_key, card_scores = sources.cm_card_key, sources.cm_card_scores
    if (card_key is None) != (card_scores is None):
        raise AsdkitError("--cm-card-key and --cm-card-scores belong together")
    if calibration is None:
        if card_key is not None:
            problem = (
                "--cm-card-scores needs --cm-key and --cm-scores to calibrate with"
            )
            raise AsdkitError(problem)
        return None
    assert sources.cm_key is not None
    assert sources.cm_scores is not None
    dev = read_labelled(sources.cm_key, sources.cm_scores)
    notes = [f"Calibrated on {_told(dev[2])}, {sources.cm_scores}."]
    found, path = dev, sources.cm_scores
    if card_key is not None and card_scores is not None:
        found, path = read_labelled(card_key, card_scores), card_scores
        if both := sorted({*found[0]} & {*dev[0]}):
            problem = (
                f"{len(both)} of its recordings calibrated the scores: {both[0]!r}"
            )
            hint = "take recordings of other speakers, of attacks that are new to it"
            raise DataError(path, problem, hint=hint)
    else:
        notes.append(SAME)
    _, scores, attacks = found
    llrs = calibration.score(scores[:, None])
    return make_cm_card(llrs, attacks, threshold, f"{path}", notes)


def make_cm_card(
    llrs: np.ndarray,
    attacks: np.ndarray,
    threshold: float,
    source: str,
    notes: list[str],
) -> dict[str, Any]:
    """Count rejected bona fide and accepted spoofed recordings.

    Args:
        llrs: (N,) calibrated scores.
        attacks: (N,) ``bonafide`` or the name of an attack.
        threshold: accept as bona fide above it.
        source: the recordings, in words.
        notes: what else is to be said.

    Returns:
        JSON values; rates are fractions.
    """
    bonafide = attacks == BONAFIDE
    sides = llrs[bonafide], llrs[~bonafide]
    rows = [_row("bona fide, rejected", sides[0] <= threshold)]
    rows.append(_row("spoofed, accepted", sides[1] > threshold))
    for attack in sorted({*attacks} - {BONAFIDE}):
        accepted = llrs[attacks == attack] > threshold
        rows.append(_row(f"{attack}, accepted", accepted))
    return {
        "cannot": CANNOT,
        "threshold": threshold,
        "trials": source,
        "notes": notes,
        "eer": float(eer(*sides)),
        "cllr": float(cllr(*sides)),
        "min_cllr": float(min_cllr(*sides)),
        "rows": rows,
    }


def _told(attacks: np.ndarray) -> str:
    """Count recordings, and name the attacks."""
    names = ", ".join(sorted({*attacks.tolist()} - {BONAFIDE}))
    num = int((attacks == BONAFIDE).sum())
    return f"{num} bona fide and {len(attacks) - num} spoofed recordings ({names})"


def _row(name: str, wrong: np.ndarray) -> dict[str, Any]:
    """Estimate a rate from (N,) errors, N > 0.

    Source: E. B. Wilson, "Probable inference", JASA 1927.
    """
    n, p = len(wrong), float(wrong.mean())
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"group": name, "num_recordings": n, "rate": p, "low": low, "high": high}
