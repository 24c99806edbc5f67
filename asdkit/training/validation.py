"""The equal error rate on speakers that the network is not trained with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch

from asdkit.base.distributed import all_reduce, broadcast
from asdkit.base.errors import FitError
from asdkit.io.tables import invert
from asdkit.metrics.eer import eer
from asdkit.nnet.extraction import PaddedBatch, extract
from asdkit.nnet.network import Network

logger = logging.getLogger(__name__)


def hold_out(
    utt2spk: Mapping[str, str],
    num_valid_spks: int = 0,
    utts_per_valid_spk: int = 20,
    seed: int = 0,
) -> dict[str, str]:
    """Draw the speakers to validate on, and some of their utterances.

    Args:
        utt2spk: of the whole training set.
        num_valid_spks: number of speakers; 0 for no validation.
        utts_per_valid_spk: utterances of each at most, the same share of all of them.
        seed: random seed of the draw.

    Returns:
        utt2spk of what is drawn; the other utterances of these speakers must not be
        trained on either.

    Raises:
        FitError: there are not so many speakers with two utterances, or none is left
            to train on.
    """
    if not num_valid_spks:
        return {}
    spk2utt = invert(utt2spk)
    able = [spk for spk, utts in spk2utt.items() if len(utts) > 1]
    if num_valid_spks < 2 or num_valid_spks > min(len(able), len(spk2utt) - 2):
        raise FitError(
            f"cannot hold out {num_valid_spks} of {len(spk2utt)} speakers, "
            f"{len(able)} of whom have two utterances",
            hint="two or more to validate on, two or more to train on",
        )
    drawn = np.random.default_rng(seed).choice(len(able), num_valid_spks, replace=False)
    held_out = {}
    for spk in sorted(able[i] for i in drawn):
        utts = spk2utt[spk]
        stride = max(1, -(-len(utts) // utts_per_valid_spk))
        held_out.update(dict.fromkeys(utts[::stride], spk))
    return held_out


class Validation:
    """Score all pairs of the held-out utterances with the cosine.

    Args:
        utt2spk: the held-out utterances.
        batches: gives this rank's share of them, for a network's shortest utterance.
        device: where the network is.
    """

    def __init__(
        self,
        utt2spk: Mapping[str, str],
        batches: Callable[[int], Iterable[PaddedBatch]],
        device: str = "cpu",
    ) -> None:
        self.spks = list(utt2spk.values())
        self.row_of = {utt: row for row, utt in enumerate(utt2spk)}
        self.batches = batches
        self.device = device

    def __call__(self, network: Network) -> float:
        """Return the EER, a fraction; every rank must ask, all get the same.

        Statistics of batch normalization are rank 0's, as in checkpoints.
        """
        share_buffers(network)
        x = torch.zeros(len(self.spks), network.embedding_dim)
        seen = torch.zeros(len(self.spks), dtype=torch.int64)
        batches = self.batches(network.min_frames)
        for utts, embeddings in extract(network, batches, self.device):
            rows = [self.row_of[utt] for utt in utts]
            x[rows] = torch.from_numpy(embeddings)
            seen[rows] = 1
        is_seen = all_reduce(seen).numpy() > 0  # some may be too short
        return cosine_eer(all_reduce(x).numpy()[is_seen], np.array(self.spks)[is_seen])


def share_buffers(network: Network) -> None:
    """Give every rank rank 0's statistics of batch normalization, as checkpoints do."""
    for buffer in network.buffers():
        broadcast(buffer)


def cosine_eer(x: np.ndarray, spks: np.ndarray) -> float:
    """Return the equal error rate of all pairs.

    Args:
        x: (U, E) embeddings.
        spks: (U,) their speakers.

    Returns:
        a fraction; NaN where an embedding is not finite, or all pairs are of one kind.
    """
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    first, second = np.triu_indices(len(x), k=1)
    scores = (unit @ unit.T)[first, second]
    is_target = spks[first] == spks[second]
    if not np.isfinite(scores).all() or is_target.all() or not is_target.any():
        logger.warning("validation: embeddings are not finite, or there are no trials")
        return float("nan")
    return eer(scores[is_target], scores[~is_target])
