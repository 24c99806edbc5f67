"""Quality measures: indicators of how far a score can be trusted.

A score of two short utterances carries less evidence than the same score of two long
ones.  Given such a measure beside the score, calibration learns how much less.

Source: J. Thienpondt, B. Desplanques and K. Demuynck, "The IDLAB VoxSRC-20 submission:
large margin fine-tuning and quality-aware score calibration in DNN based speaker
verification", ICASSP 2021.
"""

from __future__ import annotations

import numpy as np


def measure_pairs(name: str, enroll: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Combine a measure of both sides symmetrically.

    Args:
        name: one of `asdkit.backends.measures.MEASURES`; durations count by their
            logarithm.
        enroll: (N,) measure of each trial's enrolled model.
        test: (N,) measure of each trial's test utterance.

    Returns:
        (N, 2) the smaller and the larger of the two.

    Example:
        >>> measure_pairs("magnitude", np.array([3.0, 1.0]), np.array([2.0, 4.0]))
        array([[2., 3.],
               [1., 4.]])
    """
    both = np.stack([enroll, test], axis=1)
    return np.sort(np.log(both) if name == "duration" else both, axis=1)
