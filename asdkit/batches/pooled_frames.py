"""Statistics of stored frames over time: embeddings without a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from asdkit.batches.gmm_frames import FrameBatch


def pool_frames(batches: Iterable[FrameBatch]) -> Iterator[tuple[str, np.ndarray]]:
    """Pool the frames of every utterance.

    Args:
        batches: of frames of dimension D.

    Yields:
        utterance and (2D,) float64, the means and then the standard deviations, which
        are 0 of a single frame.
    """
    for utts, frames, splits in batches:
        for utt, part in zip(utts, np.split(frames, splits[1:-1]), strict=True):
            x = part.astype(np.float64)
            yield utt, np.concatenate([x.mean(axis=0), x.std(axis=0)])
