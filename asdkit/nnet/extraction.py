"""Embeddings of whole utterances, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

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
    """Compute embeddings, or what follows from them, in evaluation mode and float32.

    Args:
        network: on the device; left in the mode it was in.
        batches: of whole utterances, none shorter than the network can take.
        device: where to compute.
        head: maps the embeddings, e.g. to scores; None for nothing.

    Yields:
        N ids and their (N, E) float32 embeddings, or what ``head`` makes of these.
    """
    for batch in batches:
        was_training = network.training
        network.eval()
        with torch.inference_mode():
            feats = batch.feats.to(device, non_blocking=True)
            embeddings = network(feats, batch.num_frames).float()
            output = embeddings if head is None else head(embeddings)
        network.train(was_training)
        yield batch.utts, output.cpu().numpy()
