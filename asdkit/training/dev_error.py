"""The dev error: a network's equal error rate on data that it is not trained on.

It is measured after every epoch, and the best epoch is chosen by it.  For speakers, all
pairs of the utterances of held-out speakers are trials; for countermeasures, the
utterances or frames of a development set are scored.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch

from asdkit.base.distributed import all_reduce, broadcast
from asdkit.base.errors import FitError
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import invert
from asdkit.losses.classification import ClassificationLoss
from asdkit.metrics.eer import eer
from asdkit.metrics.segment_metrics import frame_eer
from asdkit.nnet.extraction import PaddedBatch, extract, extract_frames
from asdkit.nnet.network import Network

logger = logging.getLogger(__name__)

# Returns this rank's share of the batches for a network's shortest utterance.
ShareOfBatches: TypeAlias = Callable[[int], Iterable[PaddedBatch]]
Rows: TypeAlias = Sequence[int] | slice


def hold_out(
    utt2spk: Mapping[str, str],
    num_valid_spks: int = 0,
    utts_per_valid_spk: int = 20,
    seed: int = 0,
) -> dict[str, str]:
    """Draw the speakers to hold out, and some of their utterances.

    Args:
        utt2spk: speaker of every utterance of the whole training set.
        num_valid_spks: number of speakers; 0: none.
        utts_per_valid_spk: maximum number of utterances of each, evenly spaced.
        seed: random seed of the draw.

    Returns:
        utt2spk of the drawn utterances; the other utterances of these speakers must not
        be trained on either.

    Raises:
        FitError: too few speakers have two utterances, or too few are left to train on.
    """
    if not num_valid_spks:
        return {}
    spk2utt = invert(utt2spk)
    able = [spk for spk, utts in spk2utt.items() if len(utts) > 1]
    if num_valid_spks < 2 or num_valid_spks > min(len(able), len(spk2utt) - 2):
        raise FitError(
            f"cannot hold out {num_valid_spks} of {len(spk2utt)} speakers, "
            f"{len(able)} of whom have two utterances",
            hint="hold out two or more, and leave two or more to train on",
        )
    drawn = np.random.default_rng(seed).choice(len(able), num_valid_spks, replace=False)
    held_out = {}
    for spk in sorted(able[i] for i in drawn):
        utts = spk2utt[spk]
        stride = max(1, -(-len(utts) // utts_per_valid_spk))
        held_out.update(dict.fromkeys(utts[::stride], spk))
    return held_out


class DevError(ABC):
    """Measure the dev error of a network; every rank must call it, all get the same.

    Every rank evaluates its share of the utterances.  Rows that no rank has, because an
    utterance is too short, are left out.  Statistics of batch normalization are rank
    0's, as in checkpoints.

    Args:
        labels: (rows,) class of every row; a row is an utterance or a frame.
        batches: returns this rank's share of the batches for a network's shortest
            utterance.
        device: device of the network.
    """

    dtype = torch.float64

    def __init__(
        self, labels: np.ndarray, batches: ShareOfBatches, device: str = "cpu"
    ) -> None:
        self.labels = labels
        self.batches = batches
        self.device = device

    def __call__(self, network: Network) -> float:
        """Return the equal error rate, a fraction; NaN where a score is not finite."""
        for buffer in network.buffers():
            broadcast(buffer)
        num_rows = len(self.labels)
        values = torch.zeros(num_rows, *self.shape(network), dtype=self.dtype)
        is_there = torch.zeros(num_rows, dtype=torch.int64)
        for rows, found in self.measure(network, self.batches(network.min_frames)):
            values[rows] = torch.from_numpy(found).to(self.dtype)
            is_there[rows] = 1
        there = all_reduce(is_there).numpy() > 0
        kept = all_reduce(values).numpy()[there]
        if not np.isfinite(kept).all():
            logger.warning("dev error: scores are not finite")
            return float("nan")
        return self.rate(kept, self.labels[there])

    def shape(self, network: Network) -> tuple[int, ...]:
        """Return the shape of a row's value; () for a score."""
        return ()

    @abstractmethod
    def measure(
        self, network: Network, batches: Iterable[PaddedBatch]
    ) -> Iterator[tuple[Rows, np.ndarray]]:
        """Yield rows, and the network's (rows, ...) values for them."""

    @abstractmethod
    def rate(self, values: np.ndarray, labels: np.ndarray) -> float:
        """(rows, ...) values, (rows,) labels -> equal error rate, a fraction."""


class SpeakerDevError(DevError):
    """Score all pairs of the held-out utterances with the cosine.

    Args:
        utt2spk: the held-out utterances.
        batches: as for `DevError`.
        device: device of the network.
    """

    dtype = torch.float32

    def __init__(
        self,
        utt2spk: Mapping[str, str],
        batches: ShareOfBatches,
        device: str = "cpu",
    ) -> None:
        super().__init__(np.array(list(utt2spk.values())), batches, device)
        self.row_of = {utt: row for row, utt in enumerate(utt2spk)}

    def shape(self, network: Network) -> tuple[int, ...]:
        """Return the dimension of an embedding."""
        return (network.embedding_dim,)

    def measure(
        self, network: Network, batches: Iterable[PaddedBatch]
    ) -> Iterator[tuple[Rows, np.ndarray]]:
        """Yield rows and their (rows, E) embeddings."""
        for utts, embeddings in extract(network, batches, self.device):
            yield [self.row_of[utt] for utt in utts], embeddings

    def rate(self, values: np.ndarray, labels: np.ndarray) -> float:
        """(U, E) embeddings, (U,) speakers -> EER of all pairs, a fraction."""
        return cosine_eer(values, labels)


class SpoofDevError(DevError):
    """Score the utterances of a development set with the network and its loss.

    Args:
        attacks: utterance -> attack, or "bonafide".
        batches: as for `DevError`.
        loss: maps embeddings to scores.
        device: device of both.
    """

    def __init__(
        self,
        attacks: Mapping[str, str],
        batches: ShareOfBatches,
        loss: ClassificationLoss,
        device: str = "cpu",
    ) -> None:
        is_bonafide = [attack == BONAFIDE for attack in attacks.values()]
        super().__init__(np.array(is_bonafide), batches, device)
        self.row_of = {utt: row for row, utt in enumerate(attacks)}
        self.loss = loss

    def measure(
        self, network: Network, batches: Iterable[PaddedBatch]
    ) -> Iterator[tuple[Rows, np.ndarray]]:
        """Yield rows and their (rows,) scores."""
        for utts, scores in extract(network, batches, self.device, self.loss.scores):
            yield [self.row_of[utt] for utt in utts], scores

    def rate(self, values: np.ndarray, labels: np.ndarray) -> float:
        """(U,) scores, (U,) bona fide or not -> EER of all attacks, a fraction."""
        return eer(values[labels], values[~labels])


class FrameDevError(DevError):
    """Score the frames of a development set with the network and its loss.

    Args:
        labels: utterance -> (T,) classes, 0 for spoofed and 1 for bona fide frames.
        batches: as for `DevError`.
        loss: maps embeddings to scores.
        device: device of both.
    """

    def __init__(
        self,
        labels: Mapping[str, np.ndarray],
        batches: ShareOfBatches,
        loss: ClassificationLoss,
        device: str = "cpu",
    ) -> None:
        is_bonafide = np.concatenate(list(labels.values())) == 1
        super().__init__(is_bonafide, batches, device)
        ends = np.cumsum([len(part) for part in labels.values()]).tolist()
        self.rows_of = {
            utt: slice(end - len(part), end)
            for (utt, part), end in zip(labels.items(), ends, strict=True)
        }
        self.loss = loss

    def measure(
        self, network: Network, batches: Iterable[PaddedBatch]
    ) -> Iterator[tuple[Rows, np.ndarray]]:
        """Yield rows and their (rows,) scores, utterance by utterance."""
        scored = extract_frames(network, batches, self.device, self.loss.scores)
        for utt, scores in scored:
            yield self.rows_of[utt], scores

    def rate(self, values: np.ndarray, labels: np.ndarray) -> float:
        """(rows,) scores and labels of frames -> EER of all of them, a fraction."""
        return frame_eer(values, labels)


def cosine_eer(x: np.ndarray, spks: np.ndarray) -> float:
    """Return the equal error rate of all pairs.

    Args:
        x: (U, E) embeddings.
        spks: (U,) speakers.

    Returns:
        fraction; NaN if an embedding is not finite, or all pairs are of one kind.
    """
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    first, second = np.triu_indices(len(x), k=1)
    scores = (unit @ unit.T)[first, second]
    is_target = spks[first] == spks[second]
    if not np.isfinite(scores).all() or is_target.all() or not is_target.any():
        logger.warning("dev error: scores are not finite, or there are no trials")
        return float("nan")
    return eer(scores[is_target], scores[~is_target])
