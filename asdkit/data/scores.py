"""Match trial scores with their key, and examine them before computing metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from asdkit.io.tables import PathName
from asdkit.io.trials import Scores, Trials, match_rows
from asdkit.metrics.examination import Finding, examine, warn

Note = Callable[[PathName, Finding], None]


def match_examined(
    trials: Trials,
    scores: Scores,
    trials_path: PathName,
    path: PathName,
    note: Note = warn,
) -> np.ndarray:
    """Match scores with the trials, and report what is suspicious.

    Args:
        trials: N trials with their key.
        scores: as many scores, in any order.
        trials_path: the file, for messages.
        path: the file of the scores, for messages.
        note: receives every finding; the default logs a warning.

    Returns:
        (N,) scores.

    Raises:
        DataError: a trial has no score, a score no trial, or a pair comes twice.
    """
    rows = match_rows(trials, scores, trials_path, path)
    is_target = trials.is_target
    if rows is not None:  # what is examined is the file, in its own order
        is_target = np.empty_like(is_target)
        is_target[rows] = trials.is_target
    for finding in examine(scores.values, is_target):
        note(path, finding)
    return scores.values if rows is None else scores.values[rows]
