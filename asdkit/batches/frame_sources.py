"""Frame sources of a network: stored features, or audio.

Both give the same: a chunk of as many frames as training wants, or a whole utterance.
Stored features cost next to nothing; computed ones may be augmented anew each time.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from asdkit.batches.cut_arrays import (
    at_rate,
    load_feats,
    load_piece,
    load_samples,
    locate_feats,
    require_audio,
)
from asdkit.features.cmn import sliding_cmn
from asdkit.features.deltas import add_deltas
from asdkit.features.framing import Features

if TYPE_CHECKING:
    from lhotse import MonoCut

    from asdkit.batches.augmentation import Change

DELTA_WINDOW = 1  # frames on each side, as ASVspoof's baselines have it with LFCCs


class FrameSource(Protocol):
    """A source of frames.

    Attributes:
        cuts: U utterances.
        num_frames: (U,) int64, frames of each as a whole.
        dim: D.
        num_copies: number of copies of each speaker, 1 unless speed perturbation makes
            classes of their own.
    """

    cuts: Sequence[MonoCut]
    num_frames: np.ndarray
    dim: int
    num_copies: int

    def whole(self, index: int) -> np.ndarray:
        """Return all frames of an utterance, (T, D) float32."""

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Return (num_frames, D) float32 of an utterance, and which copy it is."""


class StoredFrames:
    """Features that feats-compute or Kaldi wrote.

    They are read once if they fit into the cache, which worker processes share.

    Args:
        cuts: from ``read_cuts(..., features=True)``.
        max_cached: maximum size in bytes.
        cmn_window: frames of the sliding window for mean subtraction; 0: none.

    Raises:
        DataError: features are missing; or damaged, where they are cached.
    """

    num_copies = 1

    def __init__(
        self, cuts: Iterable[MonoCut], max_cached: int = 2**31, cmn_window: int = 0
    ) -> None:
        self.cmn_window = cmn_window
        self.cuts: Sequence[MonoCut] = list(cuts)
        self.dim = self.cuts[0].features.num_features
        self.num_frames = np.array([_count_frames(cut) for cut in self.cuts])
        self._locations = locate_feats(self.cuts)
        self._cache: list[np.ndarray] | None = None
        if self.num_frames.sum() * self.dim * 4 <= max_cached:
            self._cache = [self.whole(index) for index in range(len(self.cuts))]

    def whole(self, index: int) -> np.ndarray:
        """Return all frames of an utterance, (T, D) float32.

        Raises:
            DataError: they are missing or damaged, or have another dimension.
        """
        if self._cache is not None:
            return self._cache[index]
        where = self.cuts[index], self._locations[index], self.dim
        return load_feats(*where, self.cmn_window)

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Return (num_frames, D) of an utterance, repeated if it is shorter, and 0."""
        return cut_chunk(self.whole(index), num_frames, rng), 0


class ComputedFrames:
    """Features computed from audio, with augmentation if requested.

    Audio of another rate than the features' is resampled.

    Args:
        cuts: from ``read_cuts(..., features=False)``.
        extractor: computes the features.
        speeds: factors; one is drawn for each chunk.
        speed_classes: whether a speaker at another speed counts as another speaker.
        augmentation: change of a chunk of samples; None for none.

    Raises:
        DataError: audio files are missing.
        ValueError: the first of the speeds is not 1.
    """

    def __init__(
        self,
        cuts: Iterable[MonoCut],
        extractor: Features,
        speeds: Sequence[float] = (1.0,),
        speed_classes: bool = True,
        augmentation: Change | None = None,
    ) -> None:
        if speeds[0] != 1:
            raise ValueError(f"expected speeds that begin with 1.0, got {speeds}")
        self.extractor = extractor
        self.speeds = speeds
        self.speed_classes = speed_classes
        self.augmentation = augmentation
        self.dim = extractor.dim
        self.num_copies = len(speeds) if speed_classes else 1
        rate = int(extractor.sample_frequency)
        self.cuts: Sequence[MonoCut] = at_rate(cuts, rate)
        require_audio(self.cuts)
        window, shift = extractor.window_size, extractor.window_shift
        num_samples = np.array([cut.num_samples for cut in self.cuts])
        self.num_frames = np.maximum(num_samples - window, 0) // shift + 1

    def whole(self, index: int) -> np.ndarray:
        """Return all frames of an utterance, (T, D) float32, as it was recorded.

        Raises:
            DataError: the audio is missing or damaged.
        """
        samples = load_samples(self.cuts[index])
        if len(samples) < self.extractor.window_size:  # resampling can lose one
            samples = np.resize(samples, self.extractor.window_size)
        # The seed of dither is that of feats-compute.
        return self.extractor(samples, zlib.crc32(self.cuts[index].id.encode()))

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Return (num_frames, D) of an utterance, and the number of its speed.

        The utterance is repeated if it is shorter.

        Raises:
            DataError: the audio is missing or damaged.
        """
        extractor, cut = self.extractor, self.cuts[index]
        number = int(rng.integers(len(self.speeds)))
        if self.speeds[number] != 1:
            cut = cut.perturb_speed(self.speeds[number], affix_id=False)
        length = (num_frames - 1) * extractor.window_shift + extractor.window_size
        samples = load_piece(cut, length, rng)
        if self.augmentation is not None:
            samples = self.augmentation(samples, rng)
        feats = extractor(samples, int(rng.integers(2**32)))[:num_frames]
        return feats, number if self.speed_classes else 0


class CenteredFrames:
    """Frames of another source without their mean over a sliding window.

    Args:
        frames: source of the frames.
        cmn_window: frames of the window.
    """

    def __init__(self, frames: FrameSource, cmn_window: int) -> None:
        self.frames = frames
        self.cmn_window = cmn_window
        self.cuts = frames.cuts
        self.num_frames = frames.num_frames
        self.dim = frames.dim
        self.num_copies = frames.num_copies

    def whole(self, index: int) -> np.ndarray:
        """Return all frames of an utterance, (T, D) float32.

        Raises:
            DataError: they are missing or damaged.
        """
        return sliding_cmn(self.frames.whole(index), self.cmn_window, center=True)

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Return (num_frames, D) of an utterance, and which copy it is.

        Raises:
            DataError: they are missing or damaged.
        """
        feats, copy = self.frames.chunk(index, num_frames, rng)
        return sliding_cmn(feats, self.cmn_window, center=True), copy


class DeltaFrames:
    """Frames of another source with their derivatives over time.

    A derivative sees what the network sees: at the ends of a chunk, and of what is
    left when pauses are taken out, the frames stand still.

    Args:
        frames: source of the frames.
        delta_order: highest derivative.
    """

    def __init__(self, frames: FrameSource, delta_order: int) -> None:
        self.frames = frames
        self.delta_order = delta_order
        self.cuts = frames.cuts
        self.num_frames = frames.num_frames
        self.dim = frames.dim * (delta_order + 1)
        self.num_copies = frames.num_copies

    def whole(self, index: int) -> np.ndarray:
        """Return all frames of an utterance, (T, D) float32.

        Raises:
            DataError: they are missing or damaged.
        """
        return add_deltas(self.frames.whole(index), DELTA_WINDOW, self.delta_order)

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Return (num_frames, D) of an utterance, and which copy it is.

        Raises:
            DataError: they are missing or damaged.
        """
        feats, copy = self.frames.chunk(index, num_frames, rng)
        return add_deltas(feats, DELTA_WINDOW, self.delta_order), copy


def cut_chunk(
    frames: np.ndarray, num_frames: int, rng: np.random.Generator
) -> np.ndarray:
    """Cut (num_frames, ...) from (T, ...) at any place; repeat what is shorter."""
    room = len(frames) - num_frames
    if room < 0:
        return np.resize(frames, (num_frames, *frames.shape[1:]))
    start = int(rng.integers(room + 1))
    return frames[start : start + num_frames]


def _count_frames(cut: MonoCut) -> int:
    """Count the frames of a cut, the voiced ones where only these are used."""
    return (cut.custom or {}).get("num_voiced", cut.features.num_frames)
