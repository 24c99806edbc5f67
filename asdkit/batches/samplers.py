"""Batch samplers: functions of the seed and the step alone.

No state is kept between batches, so that training resumes at any step by asking
for it, and N ranks that take their share of each batch train what one would.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import NamedTuple, Protocol

import numpy as np

from asdkit.base.distributed import share
from asdkit.base.errors import FitError

# Separates the order of an epoch from what a pick of the same number draws.
ORDER = 1


class Pick(NamedTuple):
    """One chunk to be cut: an utterance, and a number that seeds the cutting.

    Attributes:
        place: position of the utterance in its list.
        draw: number that no two picks of a run share; position and augmentation of the
            chunk follow from ``(seed, draw)``.
    """

    place: int
    draw: int


class Sampler(Protocol):
    """A sampler of the batches of an epoch."""

    @property
    def batch_size(self) -> int:
        """N, picks in a batch of all ranks together."""

    @property
    def group_size(self) -> int:
        """Number of consecutive picks that must stay together on one rank."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def epoch(self, number: int) -> Iterator[list[Pick]]:
        """Yield the batches of an epoch, counted from 0."""


class RandomChunks:
    """Pick every utterance once per epoch, in a new order each time.

    The last, short batch of an epoch is left out: batch normalization and learning
    rates are made for full ones.

    Args:
        num_utts: U, the number of utterances.
        batch_size: N.
        chunks_per_utt: chunks per utterance and epoch.
        seed: of the order.

    Raises:
        FitError: there are fewer chunks than one batch needs.
    """

    group_size = 1

    def __init__(
        self,
        num_utts: int,
        batch_size: int = 64,
        chunks_per_utt: int = 1,
        seed: int = 0,
    ) -> None:
        self.num_utts = num_utts
        self.batch_size = batch_size
        self.chunks_per_utt = chunks_per_utt
        self.seed = seed
        if len(self) == 0:
            raise FitError(
                f"expected {batch_size} chunks for a batch, got {num_utts} utterances "
                f"with {chunks_per_utt} chunks each",
                hint="lower --batch-size, or raise --chunks-per-utt",
            )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.num_utts * self.chunks_per_utt // self.batch_size

    def epoch(self, number: int) -> Iterator[list[Pick]]:
        """Yield the batches of an epoch, counted from 0."""
        size = self.num_utts * self.chunks_per_utt
        order = np.random.default_rng((self.seed, number, ORDER)).permutation(size)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            chosen = order[start : start + self.batch_size].tolist()
            yield [Pick(i % self.num_utts, number * size + i) for i in chosen]


class SpeakerChunks:
    """Pick N speakers and M utterances of each, for metric losses to compare.

    A speaker with fewer than M utterances gives some of them twice, cut elsewhere.
    A speaker's chance to come grows with the number of his utterances.

    Args:
        speakers: (U,) the speaker of every utterance, of any sortable type.
        num_speakers: N speakers in a batch.
        utts_per_speaker: M.
        seed: of the order.

    Raises:
        FitError: there are fewer than N speakers.
    """

    def __init__(
        self,
        speakers: Sequence[object],
        num_speakers: int = 32,
        utts_per_speaker: int = 2,
        seed: int = 0,
    ) -> None:
        _, spks = np.unique(np.asarray(speakers), return_inverse=True)
        self.num_utts = np.bincount(spks)  # (K,)
        order = np.argsort(spks, kind="stable")
        self.utts_of = np.split(order, self.num_utts.cumsum()[:-1])
        self.num_speakers = num_speakers
        self.utts_per_speaker = utts_per_speaker
        self.seed = seed
        if len(self.utts_of) < num_speakers:
            raise FitError(
                f"expected {num_speakers} speakers for a batch, got only "
                f"{len(self.num_utts)}",
                hint="lower --batch-size, or raise --utts-per-speaker",
            )

    @property
    def batch_size(self) -> int:
        """N times M."""
        return self.num_speakers * self.utts_per_speaker

    @property
    def group_size(self) -> int:
        """M: a loss compares utterances on its own rank."""
        return self.utts_per_speaker

    def __len__(self) -> int:
        """Batches in an epoch: as many as would show every utterance once."""
        return max(1, int(self.num_utts.sum()) // self.batch_size)

    def epoch(self, number: int) -> Iterator[list[Pick]]:
        """Yield the batches of an epoch: M picks of a speaker, then of the next."""
        rng = np.random.default_rng((self.seed, number, ORDER))
        chances = self.num_utts / self.num_utts.sum()
        m = self.utts_per_speaker
        for batch in range(len(self)):
            draws = count((number * len(self) + batch) * self.batch_size)
            chosen = rng.choice(len(chances), self.num_speakers, False, chances)
            picks = []
            for utts in (self.utts_of[spk] for spk in chosen):
                # All of them come before one comes again.
                rounds = [rng.permutation(utts) for _ in range(-(-m // len(utts)))]
                picks += np.concatenate(rounds)[:m].tolist()
            yield [Pick(utt, next(draws)) for utt in picks]


class BalancedChunks:
    """Pick equally many utterances of every class, however rare it is.

    A batch has equal shares of all classes, shuffled.  An epoch is as long as that of
    `RandomChunks`; it shows the rare classes' utterances several times, and of the
    others a part, another one each time.

    Args:
        classes: (U,) the class of every utterance, of any sortable type.
        batch_size: N, a multiple of the number of classes.
        chunks_per_utt: length of an epoch in chunks per utterance.
        seed: of the order.

    Raises:
        FitError: the batch size is no multiple, or there are too few chunks.
    """

    group_size = 1

    def __init__(
        self,
        classes: Sequence[object],
        batch_size: int = 64,
        chunks_per_utt: int = 1,
        seed: int = 0,
    ) -> None:
        _, numbers = np.unique(np.asarray(classes), return_inverse=True)
        order = np.argsort(numbers, kind="stable")
        self.utts_of = np.split(order, np.bincount(numbers).cumsum()[:-1])
        self.batch_size = batch_size
        self.num_batches = len(numbers) * chunks_per_utt // batch_size
        self.seed = seed
        if batch_size % len(self.utts_of) or not self.num_batches:
            raise FitError(
                f"batches of {batch_size} cannot be made of {len(numbers)} utterances "
                f"with {chunks_per_utt} chunks each, in equal shares of "
                f"{len(self.utts_of)} classes",
                hint="change --batch-size, or raise --chunks-per-utt",
            )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.num_batches

    def epoch(self, number: int) -> Iterator[list[Pick]]:
        """Yield the batches of an epoch, counted from 0."""
        rng = np.random.default_rng((self.seed, number, ORDER))
        share = self.batch_size // len(self.utts_of)
        wanted = share * len(self)
        columns = []
        for utts in self.utts_of:
            rounds = [rng.permutation(utts) for _ in range(-(-wanted // len(utts)))]
            columns.append(np.concatenate(rounds)[:wanted].reshape(len(self), share))
        for batch, places in enumerate(np.concatenate(columns, axis=1)):
            first = (number * len(self) + batch) * self.batch_size
            chosen = rng.permutation(places).tolist()
            yield [Pick(place, first + i) for i, place in enumerate(chosen)]


def batches_from(sampler: Sampler, step: int) -> Iterator[list[Pick]]:
    """Yield this rank's share of the batches from a step on, epoch after epoch."""
    number, skipped = divmod(step, len(sampler))
    for epoch in count(number):
        for picks in islice(sampler.epoch(epoch), skipped, None):
            yield share_batch(picks, sampler.group_size)
        skipped = 0


def share_batch(picks: Sequence[Pick], group_size: int) -> list[Pick]:
    """Take this rank's share of a batch, whole groups of picks."""
    starts = share(range(0, len(picks), group_size))
    return [pick for start in starts for pick in picks[start : start + group_size]]


def bucket_by_length(
    lengths: Sequence[int] | np.ndarray, max_length: int = 12_000
) -> list[list[int]]:
    """Group utterances of similar length, for extraction in padded batches.

    Args:
        lengths: (U,) of every utterance, in frames.
        max_length: maximum number of frames in a padded batch; a longer utterance is a
            batch of its own.

    Returns:
        positions in ``lengths``, batch after batch, longest first, so that a batch
        that does not fit into memory fails at once.
    """
    batches: list[list[int]] = []
    longest = 0
    for i in np.argsort(np.asarray(lengths), kind="stable")[::-1].tolist():
        if batches and longest * (len(batches[-1]) + 1) <= max_length:
            batches[-1].append(i)
        else:
            batches.append([i])
            longest = lengths[i]
    return batches
