"""Voice activity detection by energy."""

from __future__ import annotations

import numpy as np

from asdkit.base.ranges import Natural, Probability


def energy_vad(
    log_energy: np.ndarray,
    vad_energy_threshold: float = 5.0,
    vad_energy_mean_scale: float = 0.5,
    vad_frames_context: Natural = 0,
    vad_proportion_threshold: Probability = 0.6,
) -> np.ndarray:
    """Decide for every frame whether it holds speech.

    A frame is speech when at least ``vad_proportion_threshold`` of the frames
    around it have more energy than ``vad_energy_threshold`` plus
    ``vad_energy_mean_scale`` times the mean of the whole utterance.  Decisions
    are independent: good enough to choose frames for speaker recognition, too
    ragged to cut segments for listening.

    Args:
        log_energy: (T,) natural-log energy per frame; for Kaldi's MFCCs this is
            coefficient 0.
        vad_energy_threshold: constant part of the energy threshold, natural log.
        vad_energy_mean_scale: share of the utterance's mean log energy to add to the
            threshold.
        vad_frames_context: frames to look at on each side.
        vad_proportion_threshold: share of these frames that must be loud, between 0 and
            1.

    Returns:
        (T,) bool, True where there is speech.

    Raises:
        ValueError: ``log_energy`` is not one-dimensional, or the proportion is
            not inside (0, 1).

    Source: Kaldi, src/ivector/voice-activity-detection.cc, whose option names
    and defaults these are.

    Example:
        >>> energy_vad(np.array([0.0, 20.0, 21.0, 0.0]))
        array([False,  True,  True, False])
    """
    if log_energy.ndim != 1:
        raise ValueError(f"expected log energies (T,), got shape {log_energy.shape}")
    if not 0 < vad_proportion_threshold < 1:
        raise ValueError(f"{vad_proportion_threshold} is not inside (0, 1)")
    if len(log_energy) == 0:
        return np.zeros(0, dtype=bool)
    # float32 as in Kaldi: a frame on the threshold must fall on the same side.
    mean = np.float32(np.mean(log_energy, dtype=np.float64))
    share = np.float32(vad_energy_mean_scale)
    loud = log_energy > np.float32(vad_energy_threshold) + share * mean  # (T,)
    num_loud = _count(loud, vad_frames_context)
    num_all = _count(np.ones_like(loud), vad_frames_context)
    least = num_all.astype(np.float32) * np.float32(vad_proportion_threshold)
    return num_loud >= least


def _count(flags: np.ndarray, context: int) -> np.ndarray:
    """Count the true ones within ``context`` frames of every frame: (T,) -> (T,)."""
    sums = np.cumsum(np.pad(flags.astype(np.int64), (context + 1, context)))
    return sums[2 * context + 1 :] - sums[: len(flags)]
