"""Crops: the part of an utterance that a countermeasure scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from asdkit.batches.frame_sources import FrameSource

if TYPE_CHECKING:
    from lhotse import MonoCut

Crop = Literal["whole", "first", "center"]


class CroppedFrames:
    """Utterances of another source, whole or cropped or repeated to one length.

    Every trial wants a score, so an utterance that is shorter than the length, or than
    the network can take, is repeated.

    Args:
        frames: source of the frames.
        crop: all frames, the first ``chunk_frames``, or as many from the middle.
        chunk_frames: T, of a crop.
        min_frames: minimum length that the network accepts.
    """

    def __init__(
        self, frames: FrameSource, crop: Crop, chunk_frames: int, min_frames: int = 1
    ) -> None:
        self.frames = frames
        self.crop = crop
        self.chunk_frames = chunk_frames
        self.min_frames = min_frames
        self.cuts: Sequence[MonoCut] = frames.cuts
        self.dim = frames.dim
        self.num_copies = frames.num_copies
        self.num_frames = np.maximum(frames.num_frames, min_frames)
        if crop != "whole":
            self.num_frames = np.full(len(frames.cuts), chunk_frames)

    def whole(self, index: int) -> np.ndarray:
        """Return the part of an utterance to score, (T, D) float32.

        Raises:
            DataError: it is missing or damaged.
        """
        feats = self.frames.whole(index)
        return crop_frames(feats, self.crop, self.chunk_frames, self.min_frames)

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Return (num_frames, D) of an utterance as the other source does, to train."""
        return self.frames.chunk(index, num_frames, rng)


def crop_frames(
    feats: np.ndarray, crop: Crop, chunk_frames: int, min_frames: int = 1
) -> np.ndarray:
    """Cut the part to score out of an utterance; repeat what is too short.

    Args:
        feats: (T, D) of the whole utterance, T > 0.
        crop: part to score, as for `CroppedFrames`.
        chunk_frames: length of a crop in frames.
        min_frames: length of the shortest utterance that the network can take.

    Returns:
        (T', D).
    """
    length = chunk_frames
    if crop == "whole":
        length = max(len(feats), min_frames)
    if len(feats) < length:
        return np.resize(feats, (length, feats.shape[1]))
    start = (len(feats) - length) // 2 if crop == "center" else 0
    return feats[start : start + length]
