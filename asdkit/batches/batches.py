"""Batches for networks: chunks for training, whole utterances for extraction."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from asdkit.base.distributed import num_ranks, share
from asdkit.base.errors import AsdkitError, FitError
from asdkit.base.ranges import Count, Natural
from asdkit.base.threads import one_thread
from asdkit.batches.frame_labels import LabelChunks
from asdkit.batches.frame_sources import FrameSource
from asdkit.batches.samplers import Pick, Sampler, batches_from, bucket_by_length
from asdkit.data.cuts import speaker_of, tell_left_out

if TYPE_CHECKING:
    from lhotse import MonoCut

    from asdkit.batches.augmentation import SpecAugment

logger = logging.getLogger(__name__)
Order = TypeVar("Order")


class Batch(NamedTuple):
    """A batch of utterances, or of chunks of them.

    Attributes:
        utts: N ids.
        feats: (N, T, D) float32, zero beyond an utterance's end.
        num_frames: (N,) int64, on the CPU.
        labels: (N,) int64 classes, -1 where they do not matter.
        teacher_feats: (N, T', D') float32 of the same chunks, for a teacher whose
            features are others, or not masked; None where there is no such teacher.
        frame_labels: (N, T) int64, 0 for spoofed and 1 for bona fide frames; None where
            not needed.
    """

    utts: list[str]
    feats: Tensor
    num_frames: Tensor
    labels: Tensor
    teacher_feats: Tensor | None = None
    frame_labels: Tensor | None = None


class TeacherFrontEnd(NamedTuple):
    """Another front end, for the same chunks.

    It draws from a generator in the same state, and as many samples, so its chunk is
    the same part of an utterance, at the same speed, in the same noise.

    Attributes:
        frames: frames of the same utterances, augmented identically.
        chunk_frames: T', spanning as many samples as the student's T.
        subtract_mean: whether to subtract the mean of every chunk.
    """

    frames: FrameSource
    chunk_frames: int
    subtract_mean: bool

    def chunk(self, place: int, rng: np.random.Generator) -> np.ndarray:
        """Return (T', D') float32 of an utterance."""
        chunk, _ = self.frames.chunk(place, self.chunk_frames, rng)
        return chunk - chunk.mean(axis=0) if self.subtract_mean else chunk


class TrainingBatches:
    """Endless batches of chunks; each depends on the seed and its step alone.

    So they do not depend on the number of worker processes, nor on the step at which
    training was resumed.  With ranks, each takes its share of every batch.

    Args:
        frames: source of the frames.
        speakers: speaker -> class, from `asdkit.data.cuts.number_speakers` or from a
            trained network; classes count from 0.
        sampler: sampler of the batches.
        chunk_frames: T.
        subtract_mean: subtract the mean over time of every chunk.
        spec_augment: masking; None for none.
        num_workers: worker processes that prefetch batches; 0 makes them when asked.
        seed: random seed of the positions of chunks and their augmentation.
        teacher_front_end: front end of a teacher with other features; None for none.
        class_of: returns the class label of an utterance, e.g. its speaker.
        frame_labels: labels of single frames, for partially spoofed utterances.
        unmasked: also keep the chunks as they were before masking, for a teacher
            without a front end of its own.

    Raises:
        FitError: an utterance is of a speaker who has no class, the ranks cannot
            have equal shares of a batch, or utterances that a loss compares
            would have classes of their own because of their speed.
    """

    def __init__(
        self,
        frames: FrameSource,
        speakers: Mapping[str, int],
        sampler: Sampler,
        chunk_frames: Count = 200,
        subtract_mean: bool = True,
        spec_augment: SpecAugment | None = None,
        num_workers: Natural = 0,
        seed: Natural = 0,
        teacher_front_end: TeacherFrontEnd | None = None,
        class_of: Callable[[MonoCut], str] = speaker_of,
        frame_labels: LabelChunks | None = None,
        unmasked: bool = False,
    ) -> None:
        self.unmasked = unmasked
        self.teacher_front_end = teacher_front_end
        self.frame_labels = frame_labels
        self.frames = frames
        self.sampler = sampler
        self.chunk_frames = chunk_frames
        self.subtract_mean = subtract_mean
        self.spec_augment = spec_augment
        self.num_workers = num_workers
        self.seed = seed
        self._num_speakers = max(speakers.values()) + 1
        self._labels = _classes_of(frames, speakers, class_of)
        self._what = "speakers" if class_of is speaker_of else "classes"
        if sampler.group_size > 1 and frames.num_copies > 1:
            raise FitError(
                f"{sampler.group_size} utterances of a speaker, each at its own speed, "
                "would not share a class",
                hint="--speed-classes false: a speaker is one class at all speeds",
            )
        num_groups = sampler.batch_size // sampler.group_size
        if num_groups % num_ranks():
            raise FitError(
                f"{num_ranks()} ranks cannot evenly share a batch of "
                f"{num_groups} times {sampler.group_size}",
                hint="change --batch-size or the number of ranks",
            )
        self._tell()

    @property
    def num_classes(self) -> int:
        """K, including the copies of speakers that speed perturbation makes."""
        return self._num_speakers * self.frames.num_copies

    @property
    def class_counts(self) -> np.ndarray:
        """(K,) utterances of every class, before speed perturbation."""
        return np.bincount(self._labels, minlength=self._num_speakers)

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches per epoch."""
        return len(self.sampler)

    def from_step(self, step: int) -> Iterator[tuple[int, Batch]]:
        """Yield steps and this rank's share of their batches, from one on, endlessly.

        Raises:
            AsdkitError: an utterance cannot be read.
        """
        orders = batches_from(self.sampler, step)
        batches = make_ahead(self.make, orders, self.num_workers)
        with contextlib.closing(batches):
            yield from enumerate(batches, start=step)

    def make(self, picks: Sequence[Pick]) -> Batch:
        """Cut the chunks of a batch."""
        shape = (len(picks), self.chunk_frames, self.frames.dim)
        feats = np.empty(shape, np.float32)
        labels = np.empty(len(picks), np.int64)
        heard, parts = [], []
        for n, (place, draw) in enumerate(picks):
            rng = np.random.default_rng((self.seed, draw))
            chunk, copy = self.frames.chunk(place, self.chunk_frames, rng)
            if self.subtract_mean:
                chunk = chunk - chunk.mean(axis=0)
            if self.unmasked:
                heard.append(chunk)
            if self.spec_augment is not None:
                chunk = self.spec_augment(chunk, rng)
            feats[n] = chunk
            labels[n] = self._labels[place] + copy * self._num_speakers
            if self.teacher_front_end is not None:
                same = np.random.default_rng((self.seed, draw))
                heard.append(self.teacher_front_end.chunk(place, same))
            if self.frame_labels is not None:
                same = np.random.default_rng((self.seed, draw))
                parts.append(self.frame_labels.chunk(place, self.chunk_frames, same))
        return Batch(
            [self.frames.cuts[pick.place].id for pick in picks],
            torch.from_numpy(feats),
            torch.full((len(picks),), self.chunk_frames),
            torch.from_numpy(labels),
            torch.from_numpy(np.stack(heard)) if heard else None,
            torch.from_numpy(np.stack(parts)) if parts else None,
        )

    def _tell(self) -> None:
        """Log what there is to train on."""
        counts = self.class_counts
        logger.info(
            "batches: %d utterances of %d %s (%d with one utterance), "
            "%d classes; %d steps an epoch; %d utterances are shorter than %d frames "
            "and repeated",
            len(self._labels),
            np.count_nonzero(counts),
            self._what,
            np.count_nonzero(counts == 1),
            self.num_classes,
            self.steps_per_epoch,
            np.count_nonzero(self.frames.num_frames < self.chunk_frames),
            self.chunk_frames,
        )


class ExtractionBatches:
    """Whole utterances in batches of similar length; each rank has its share.

    Utterances that are too short are skipped; their number and names are logged.

    Args:
        frames: source of the frames.
        max_frames: maximum number of frames per batch, padding included; a longer
            utterance is a batch of its own.
        min_frames: minimum length that the network accepts.
        subtract_mean: subtract the mean over time of every utterance.
        num_workers: worker processes that prefetch batches; 0: none.

    Raises:
        DataError: more utterances are too short than are not.
    """

    def __init__(
        self,
        frames: FrameSource,
        max_frames: Count = 12_000,
        min_frames: int = 1,
        subtract_mean: bool = True,
        num_workers: Natural = 0,
    ) -> None:
        self.frames = frames
        self.subtract_mean = subtract_mean
        self.num_workers = num_workers
        kept = np.flatnonzero(frames.num_frames >= min_frames).tolist()
        tell_left_out(
            "extraction",
            [cut.id for cut in frames.cuts],
            [frames.cuts[index] for index in kept],
            f"have fewer than {min_frames} frames",
        )
        buckets = bucket_by_length(frames.num_frames[kept], max_frames)
        self._orders = share([[kept[n] for n in bucket] for bucket in buckets])

    def __len__(self) -> int:
        """Batches of this rank."""
        return len(self._orders)

    def __iter__(self) -> Iterator[Batch]:
        """Yield this rank's batches, the longest utterances first.

        Raises:
            AsdkitError: an utterance cannot be read.
        """
        return make_ahead(self.make, self._orders, self.num_workers)

    def make(self, indices: Sequence[int]) -> Batch:
        """Pad utterances to the longest of them."""
        parts = [self.frames.whole(index) for index in indices]
        utts = [self.frames.cuts[index].id for index in indices]
        return pad(utts, parts, self.subtract_mean)


def pad(utts: list[str], parts: Sequence[np.ndarray], subtract_mean: bool) -> Batch:
    """Put whole utterances into one batch, padded to the longest of them.

    Args:
        utts: N ids.
        parts: (T, D) float32 of each.
        subtract_mean: subtract the mean over time of every utterance.
    """
    num_frames = torch.tensor([len(part) for part in parts])
    feats = torch.zeros(len(parts), int(num_frames.max()), parts[0].shape[1])
    for n, part in enumerate(parts):
        part = part - part.mean(axis=0) if subtract_mean else part
        feats[n, : len(part)] = torch.from_numpy(part)
    return Batch(utts, feats, num_frames, torch.full((len(parts),), -1))


class Failure(NamedTuple):
    """An error in a worker process, as exceptions do not always pickle."""

    message: str
    hint: str | None


def make_ahead(
    make: Callable[[Order], Batch], orders: Iterable[Order], num_workers: int
) -> Generator[Batch, None, None]:
    """Make batches on demand, in worker processes if there are any.

    Args:
        make: makes a batch, identically in any process.
        orders: specifications of the batches; may be endless.
        num_workers: processes.

    Yields:
        batches in the order of their orders.

    Raises:
        AsdkitError: as ``make`` raises it.
    """
    if num_workers == 0:
        for order in orders:
            with one_thread():
                batch = make(order)
            yield batch
        return
    loader: Iterable[Batch | Failure] = DataLoader(
        _Workshop(make),
        batch_size=None,
        sampler=orders,
        num_workers=num_workers,
        generator=torch.Generator(),  # leaves that of dropout alone
    )
    for made in loader:
        if isinstance(made, Failure):
            raise AsdkitError(*made)
        yield made


class _Workshop(Dataset[Batch | Failure]):
    """What torch's workers call: an order in, a batch out."""

    def __init__(self, make: Callable[[Any], Batch]) -> None:
        self.make = make

    def __getitem__(self, order: Any) -> Batch | Failure:
        try:
            return self.make(order)
        except AsdkitError as error:
            return Failure(str(error), error.hint)


def _classes_of(
    frames: FrameSource, speakers: Mapping[str, int], class_of: Callable[[MonoCut], str]
) -> np.ndarray:
    """Look up the class of every utterance, (U,) int64."""
    spks = [class_of(cut) for cut in frames.cuts]
    unknown = set(spks) - speakers.keys()
    if unknown:
        spk, cut = next(
            (x, cut) for x, cut in zip(spks, frames.cuts, strict=True) if x in unknown
        )
        raise FitError(
            f"{cut.id!r}: speaker {spk!r} is none of the {len(speakers)} "
            f"that the network was trained on ({len(unknown)} are unknown)",
            hint="train from the data of its first training, or start a new network",
        )
    return np.array([speakers[spk] for spk in spks])
