"""Baum-Welch statistics of many utterances, for repeated EM passes.

The posteriors of frames are computed once and kept: 15 bytes per frame, since only two
or three have a posterior worth keeping.  The sums per utterance take 600 kB at 2048
Gaussians of 72 dimensions, too much for many utterances, but little time; so they are
kept if they fit, and otherwise recomputed from frames and posteriors.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from asdkit.base.distributed import all_reduce
from asdkit.base.errors import DataError, FitError
from asdkit.base.ranges import NonNegative
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.statistics import first_order, moments
from asdkit.ivector.em import Batch, Totals

logger = logging.getLogger(__name__)

# N ids, (T, D) frames one utterance after another, (N + 1,) where each begins; what
# asdkit.batches.gmm_frames reads.
FrameBatch = tuple[list[str], np.ndarray, np.ndarray]
BATCH = 256  # utterances; more make the products of the E-step no faster


class Statistics:
    """The statistics of this rank's utterances, for repeated passes.

    Iterating gives (N, G) occupations and (N, G, D) first-order statistics, float32,
    of 256 utterances at a time, the last time of what is left; the next ones may
    overwrite them.

    Args:
        frames: this rank's frames, for repeated passes.
        device: device to compute on.
        max_cached_gb: memory for cached statistics, in GB per rank; if they do not all
            fit, none are cached.
    """

    def __init__(
        self,
        frames: Iterable[FrameBatch],
        device: torch.device | str = "cpu",
        max_cached_gb: NonNegative = 4.0,
    ) -> None:
        self.frames = frames
        self.device = torch.device(device)
        self.max_cached_gb = max_cached_gb

    def align(self, aligner: Aligner) -> Totals:
        """Compute the posteriors of all frames; call it first.

        Args:
            aligner: on the same device.

        Returns:
            the statistics of all utterances of all ranks.

        Raises:
            DataError: the frames have another dimension than the UBM.
            FitError: there is no frame, or all are the same.
        """
        shape = aligner.diag.means_.shape  # (G, D)
        self.shape = shape
        self.num_utts = 0
        self._posteriors: list[StoredPosteriors] = []
        self._cache: list[Batch] = []
        n = torch.zeros(shape[0], dtype=torch.float64, device=self.device)
        f = n.new_zeros(shape)
        s = n.new_zeros(*shape, shape[1])
        for batch in self.frames:
            frames = to_tensor(batch, shape[1], self.device)
            posteriors = aligner.align(frames)
            for total, part in zip((n, f, s), moments(frames, posteriors), strict=True):
                total += part
            self.num_utts += len(batch[0])
            self._posteriors.append(StoredPosteriors.of(posteriors))
        num_utts = n.new_tensor(self.num_utts)
        for total in (num_utts, n, f, s):
            all_reduce(total)
        if not n.sum() > 0:
            raise FitError("ivector-extractor: there are no frames to train on")
        mean = f.sum(0) / n.sum()
        if torch.equal(s.sum(0) / n.sum(), torch.outer(mean, mean)):
            raise FitError("ivector-extractor: all frames are the same")
        logger.info("ivector-extractor: %d utterances, %.0f frames", num_utts, n.sum())
        return Totals(int(num_utts), n, f, s)

    def __iter__(self) -> Iterator[Batch]:
        num_gauss, dim = self.shape
        if self._cache:
            yield from self._cache
        elif 4e-9 * self.num_utts * num_gauss * (dim + 1) > self.max_cached_gb:
            yield from self._collect(in_place=True)
        else:
            cache = []
            for batch in self._collect(in_place=False):
                cache.append(batch)
                yield batch
            self._cache = cache

    def _collect(self, in_place: bool) -> Iterator[Batch]:
        """Make the statistics, in place of the last ones or elsewhere."""
        n, f = self._room()
        filled = 0
        for batch, stored in zip(self.frames, self._posteriors, strict=True):
            frames = to_tensor(batch, self.shape[1], self.device)
            posteriors = stored.restore(self.device, self.shape[0])
            splits = batch[2]
            first = 0
            while first < len(splits) - 1:
                last = min(first + len(n) - filled, len(splits) - 1)
                rows = slice(filled, filled + last - first)
                n[rows], f[rows] = sum_utts(
                    frames, posteriors, splits[first : last + 1]
                )
                filled, first = rows.stop, last
                if filled == len(n):
                    yield n, f
                    filled = 0
                    if not in_place:
                        n, f = self._room()
        if filled:
            yield n[:filled], f[:filled]

    def _room(self) -> Batch:
        """Allocate a batch."""
        n = torch.empty(min(self.num_utts, BATCH), self.shape[0], device=self.device)
        return n, n.new_empty(*n.shape, self.shape[1])


class StoredPosteriors(NamedTuple):
    """Posteriors of frames in compact form, on the CPU.

    Attributes:
        counts: (T,) int16, the number of Gaussians of each frame.
        gauss: (P,) int16, or int32 if there are many Gaussians.
        values: (P,) float32.
    """

    counts: Tensor
    gauss: Tensor
    values: Tensor

    @classmethod
    def of(cls, posteriors: Posteriors) -> StoredPosteriors:
        """Compress posteriors."""
        small = torch.int16 if posteriors.num_gauss <= 2**15 else torch.int32
        return cls(
            posteriors.splits.diff().to(torch.int16).cpu(),
            posteriors.gauss.to(small).cpu(),
            posteriors.values.cpu(),
        )

    def restore(self, device: torch.device, num_gauss: int) -> Posteriors:
        """Decompress the posteriors."""
        counts = self.counts.to(device)
        splits = torch.cat([counts.new_zeros(1), counts]).cumsum(0, dtype=torch.int64)
        gauss = self.gauss.to(device, torch.int32)
        return Posteriors(splits, gauss, self.values.to(device), num_gauss)


def to_tensor(batch: FrameBatch, dim: int, device: torch.device) -> Tensor:
    """Check the dimension of frames and move them to the device, (T, D).

    Raises:
        DataError: it is not ``dim``.
    """
    utts, frames, _ = batch
    found = frames.shape[1]
    if found != dim:
        raise DataError(
            utts[0],
            f"expected frames of {dim} dimensions, as in the UBM, got {found}",
            hint="feats-compute with the options of the UBM's training data",
        )
    return torch.from_numpy(frames).to(device)


def sum_utts(
    frames: Tensor, posteriors: Posteriors, splits: np.ndarray
) -> tuple[Tensor, Tensor]:
    """Compute the statistics of some of the utterances of a batch of frames.

    Args:
        frames: (T, D) of the whole batch.
        posteriors: of the whole batch.
        splits: (N + 1,) where in the batch the N utterances, which follow each
            other, begin.

    Returns:
        n (N, G) and f (N, G, D), as `asdkit.gmm.statistics.first_order`.
    """
    start, stop = splits[0], splits[-1]
    rows = posteriors.splits[start : stop + 1]
    pairs = slice(int(rows[0]), int(rows[-1]))
    part = Posteriors(
        rows - rows[0],
        posteriors.gauss[pairs],
        posteriors.values[pairs],
        posteriors.num_gauss,
    )
    return first_order(frames[start:stop], part, splits - start)
