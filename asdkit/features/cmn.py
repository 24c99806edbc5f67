"""Cepstral mean normalization over a sliding window."""

from __future__ import annotations

import numpy as np

VARIANCE_FLOOR = 1e-10


def sliding_cmn(
    feats: np.ndarray,
    cmn_window: int = 600,
    min_cmn_window: int = 100,
    center: bool = False,
    norm_vars: bool = False,
) -> np.ndarray:
    """Subtract from every frame the mean of the frames around it.

    Args:
        feats: (T, D).
        cmn_window: frames in the window.
        min_cmn_window: without ``center``, frames of the first means, some of which lie
            in the future.
        center: center the window on its frame; otherwise it precedes the frame.
        norm_vars: divide by the window's standard deviation, too.

    Returns:
        (T, D) float32.

    Source: Kaldi, src/feat/feature-functions.cc, SlidingWindowCmn, whose option
    names and defaults these are.
    """
    feats = np.asarray(feats, dtype=np.float32)
    first, last = _windows(len(feats), cmn_window, min_cmn_window, center)
    n = (last - first)[:, None].astype(np.float64)
    mean = _window_sums(feats, first, last) / n
    if not norm_vars:
        return feats - mean.astype(np.float32)
    s = _window_sums(feats.astype(np.float64) ** 2, first, last)
    scale = np.maximum(s / n - mean**2, VARIANCE_FLOOR) ** -0.5
    scale[n[:, 0] == 1] = 0.0  # one frame has no variance; Kaldi makes it zero
    return ((feats - mean) * scale).astype(np.float32)


def _windows(
    num_frames: int, cmn_window: int, min_cmn_window: int, center: bool
) -> tuple[np.ndarray, np.ndarray]:
    """First frame and end of the window of every frame: (T,) and (T,)."""
    t = np.arange(num_frames)
    first = t - (cmn_window // 2 if center else cmn_window)
    last = first + cmn_window if center else t + 1
    last -= np.minimum(first, 0)
    first = np.maximum(first, 0)
    if not center:
        last = np.where(last > t, np.maximum(t + 1, min_cmn_window), last)
    first = np.maximum(first - np.maximum(last - num_frames, 0), 0)
    return first, np.minimum(last, num_frames)


def _window_sums(x: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Sum x (T, D) from ``first`` to before ``last``: (T, D) float64."""
    sums = np.zeros((len(x) + 1, x.shape[1]))
    sums[1:] = x
    np.cumsum(sums, axis=0, out=sums)
    return sums[last] - sums[first]
