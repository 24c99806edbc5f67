"""The layers of a graph: front end, network and head of a trained model."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asdkit.inference.graph_front_end import GraphFrontEnd
from asdkit.inference.graph_selection import subtract_mean
from asdkit.losses.classification import ClassificationLoss
from asdkit.nnet.network import Network
from asdkit.nnet.padding import zero_padding


class FromSamples(nn.Module):
    """Front end, network, and head of a model.

    Args:
        front_end: from samples to frames.
        network: from frames to embeddings.
        head: from embeddings to scores; None: none.
        by_frame: score every frame, too.
    """

    def __init__(
        self,
        front_end: GraphFrontEnd,
        network: Network,
        head: nn.Module | None,
        by_frame: bool = False,
    ) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network
        self.head = head
        self.by_frame = by_frame

    def forward(self, samples: Tensor, num_samples: Tensor) -> tuple[Tensor, ...]:
        """(N, L) samples, (N,) lengths or (1,) 0 -> (N, E) or (N,), and (N,) frames.

        With ``by_frame``, then (N, T') scores of the network's frames, and (N,) how
        many of the T' are real.
        """
        whole = torch.full_like(samples[:, 0], samples.shape[1]).long()  # (N,)
        num_samples = torch.where(num_samples > 0, num_samples, whole)
        feats, found = self.front_end(samples, num_samples)
        # Convolutions without padding would fail; who calls refuses so few frames.
        num_frames = found.clamp(min=self.network.min_frames)
        x = zero_padding(feats.transpose(1, 2), num_frames)  # (N, D, T)
        if self.by_frame and self.head is not None:
            return self._frames(x, num_frames, self.head, found)
        output = self.network.embed(x, num_frames)
        return (output if self.head is None else self.head(output)), found

    def _frames(
        self, x: Tensor, num_frames: Tensor, head: nn.Module, found: Tensor
    ) -> tuple[Tensor, ...]:
        """Score recordings and their frames; what is before pooling only once."""
        pool, last = self.network.pool, self.network.output
        assert isinstance(pool, nn.Module)
        assert isinstance(last, nn.Module)
        maps, lengths = self.network.frames(x, num_frames)  # (N, C, T')
        each = last(maps.transpose(1, 2))  # (N, T', E)
        scores = head(each.flatten(0, 1)).reshape(each.shape[0], each.shape[1])
        assert lengths is not None
        return head(last(pool(maps, lengths))), found, scores, lengths


class FromFeatures(nn.Module):
    """Network and head of a model.

    Args:
        network: from frames to embeddings.
        head: from embeddings to scores; None: none.
        subtract_mean: subtract the mean over time.
    """

    def __init__(
        self, network: Network, head: nn.Module | None, subtract_mean: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.head = head
        self.subtract_mean = subtract_mean

    def forward(self, feats: Tensor) -> Tensor:
        """(N, T, D) -> (N, E) or (N,)."""
        num_frames = torch.full_like(feats[:, 0, 0], feats.shape[1]).long()  # (N,)
        if self.subtract_mean:
            feats = subtract_mean(feats, num_frames)
        output = self.network.embed(feats.transpose(1, 2), num_frames)
        return output if self.head is None else self.head(output)


class Head(nn.Module):
    """The scores of a loss.

    Args:
        loss: has `scores`.
    """

    def __init__(self, loss: ClassificationLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N,)."""
        scores: Tensor = self.loss.scores(embeddings)
        return scores
