"""Spot-check that scores come from a given back-end and embeddings."""

from __future__ import annotations

import numpy as np

from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.io.tables import PathName
from asdkit.io.trials import Scores
from asdkit.verification.cohort import Sides

NUM_SAMPLED = 100
RELATIVE = 1e-4  # of a score; files have six digits or seven
OF_SPREAD = 1e-3  # of the scores' standard deviation; other programs round otherwise
LIKE = 0.01  # share of the spread that an affine map of the scores may leave


def refuse_other_scores(
    backend: Pipeline,
    backend_path: PathName,
    sides: Sides,
    scores: Scores,
    path: PathName,
) -> None:
    """Rescore some of the trials, and compare.

    Args:
        backend: a trained back-end.
        backend_path: its file, for messages.
        sides: the embeddings of the trials.
        scores: N of them.
        path: their file, for messages.

    Raises:
        DataError: they are not what this back-end makes of these embeddings.
    """
    rng = np.random.default_rng(0)
    rows = rng.choice(len(scores), min(NUM_SAMPLED, len(scores)), replace=False)
    enroll = sides.enroll[scores.enroll[rows]]
    test = sides.test[scores.test[rows]]
    each = np.arange(len(rows))
    n, x = sides.n, sides.x
    expected = backend.score_trials(x[enroll], n[enroll], x[test], each, each)
    given = scores.values[rows]
    allowed = RELATIVE * np.abs(expected) + max(OF_SPREAD * expected.std(), RELATIVE**2)
    differs = ~(np.abs(given - expected) <= allowed)
    if not differs.any():
        return
    worst = int(np.argmax(np.abs(given - expected) / allowed))
    raise DataError(
        path,
        f"{differs.sum()} of {len(rows)} sampled scores are not what "
        f"{backend_path} gives for these vectors: {scores.name(rows[worst])!r} has "
        f"{given[worst]:.6g}, expected {expected[worst]:.6g}",
        hint="these are calibrated, normalized or negated scores; give those that "
        "backend-score wrote"
        if _is_affine(given, expected)
        else "give the back-end, vectors and spk2utt that the scores were made with",
    )


def _is_affine(given: np.ndarray, expected: np.ndarray) -> bool:
    """Tell whether one of two (N,) arrays is a scaled and shifted form of the other."""
    if len(given) < 3 or not np.isfinite(given).all() or given.std() == 0:
        return False
    left = np.polynomial.Polynomial.fit(expected, given, 1)(expected) - given
    return bool(left.std() < LIKE * given.std())
