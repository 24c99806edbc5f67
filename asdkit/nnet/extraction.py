"""Extract embeddings of whole utterances or single frames, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from asdkit.base.memory import keep_freed
from asdkit.nnet.network import Network


class PaddedBatch(Protocol):
    """Utterances of different lengths in one tensor."""

    @property
    def utts(self) -> list[str]:
        """N ids."""

    @property
    def feats(self) -> Tensor:
        """(N, T, D) features, padded."""

    @property
    def num_frames(self) -> Tensor:
        """(N,) how many of the T frames are real, on the CPU."""


def extract(
    network: Network,
    batches: Iterable[PaddedBatch],
    device: str = "cpu",
    head: Callable[[Tensor], Tensor] | None = None,
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Compute embeddings, or numbers derived from them, in evaluation mode and float32.

    Args:
        network: network on the device; its mode is restored.
        batches: of whole utterances, none shorter than the network can take.
        device: device to compute on.
        head: map of the embeddings, e.g. to scores; None for none.

    Yields:
        N ids and their (N, E) float32 embeddings, or what ``head`` makes of these.
    """
    keep_freed(device)
    for batch in batches:
        was_training = network.training
        network.eval()
        with torch.inference_mode():
            feats = batch.feats.to(device, non_blocking=True)
            embeddings = network(feats, batch.num_frames).float()
            output = embeddings if head is None else head(embeddings)
        network.train(was_training)
        yield batch.utts, output.cpu().numpy()


def extract_frames(
    network: Network,
    batches: Iterable[PaddedBatch],
    device: str,
    head: Callable[[Tensor], Tensor],
) -> Iterator[tuple[str, np.ndarray]]:
    """Compute one number for every frame, in evaluation mode and float32.

    Args:
        network: as for `extract`; one that embeds frames.
        batches: as for `extract`.
        device: device to compute on.
        head: map of (F, E) embeddings to (F,) numbers.

    Yields:
        ids and their (T,) float32 numbers, one of the network's frames after another,
        each as often as it stands for frames of the utterance.

    Raises:
        AsdkitError: the network does not embed single frames.
    """
    keep_freed(device)
    for batch in batches:
        was_training = network.training
        network.eval()
        with torch.inference_mode():
            feats = batch.feats.to(device, non_blocking=True)
            embeddings, lengths = network.embed_frames(feats, batch.num_frames)
            numbers = head(embeddings.float().flatten(0, 1))
            table = numbers.view(embeddings.shape[:2]).cpu().numpy()  # (N, T')
        network.train(was_training)
        sizes = zip(batch.num_frames.tolist(), lengths.tolist(), strict=True)
        for utt, row, (whole, few) in zip(batch.utts, table, sizes, strict=True):
            yield utt, stretch(row[:few], whole, network.frame_stride)


def stretch(numbers: np.ndarray, num_frames: int, stride: int) -> np.ndarray:
    """Repeat every value for the frames it stands for: (T',) -> (T,).

    The last stands for what is left behind the last whole stride, too.
    """
    place = np.arange(num_frames) // stride
    return numbers[np.minimum(place, len(numbers) - 1)]
