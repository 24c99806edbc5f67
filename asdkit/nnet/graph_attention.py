"""Graph attention over fully connected graphs.

Nodes are (N, V, C).  ``num_nodes`` (N,) says how many of the V are real, the first
ones; None says that all are.

Source: J. Jung et al., "AASIST: audio anti-spoofing using integrated spectro-temporal
graph attention networks", ICASSP 2022; H. Tak et al., "End-to-end spectro-temporal
graph attention networks", ASVspoof Workshop 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asdkit.nnet.padding import zero_padding
from asdkit.nnet.pooling import softmax_over_time


def zero_nodes(x: Tensor, num_nodes: Tensor | None) -> Tensor:
    """(N, V, C), (N,) -> (N, V, C) with zeros for the nodes that are padding."""
    return zero_padding(x.transpose(1, 2), num_nodes).transpose(1, 2)


class Compare(nn.Module):
    """Attention features of node pairs, before weighting.

    Args:
        in_dim: C of the nodes.
        out_dim: C of the comparison.
    """

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(in_dim, out_dim)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(N, V, C) and (N, V', C) -> (N, V, V', C'), every node with every other."""
        return torch.tanh(self.project(x[:, :, None] * y[:, None]))


class Update(nn.Module):
    """Project a node's neighborhood, and the node itself; add both.

    Args:
        in_dim: C of the nodes.
        out_dim: C of the result.
    """

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.others = nn.Linear(in_dim, out_dim)
        self.own = nn.Linear(in_dim, out_dim)

    def forward(self, weights: Tensor, others: Tensor, own: Tensor) -> Tensor:
        """(N, V, V'), (N, V', C), (N, V, C) -> (N, V, C')."""
        return self.others(weights @ others) + self.own(own)


class NormSelu(nn.Module):
    """Batch normalization over all nodes, and SELU.

    Args:
        dim: C.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim)
        self.selu = nn.SELU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, V, C) -> (N, V, C)."""
        return self.selu(self.norm(x.transpose(1, 2)).transpose(1, 2))


class GraphAttention(nn.Module):
    """Attention of every node of one kind to all of them.

    Args:
        in_dim: C of the nodes.
        out_dim: C' of the result.
        temperature: temperature; high values even out the attention.
        dropout: dropout of the input.
    """

    def __init__(
        self, in_dim: int, out_dim: int, temperature: float, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.compare = Compare(in_dim, out_dim)
        self.weigh = attention_weight(out_dim)
        self.update = Update(in_dim, out_dim)
        self.norm = NormSelu(out_dim)
        self.temperature = temperature

    def forward(self, x: Tensor, num_nodes: Tensor | None) -> Tensor:
        """(N, V, C) -> (N, V, C'); padding is not zero."""
        x = self.dropout(x)
        scores = self.weigh(self.compare(x, x))[..., 0]  # (N, V, V)
        weights = softmax_over_time(scores / self.temperature, num_nodes)
        return self.norm(self.update(weights, x, x))


class HeterogeneousAttention(nn.Module):
    """Attention of nodes of two kinds to all, with weights of its own for each pairing.

    A master listens to all and none listens to it.

    Args:
        in_dim: C of the nodes.
        out_dim: C' of the result.
        temperature: temperature; high values even out the attention.
        dropout: dropout of the input.
    """

    def __init__(
        self, in_dim: int, out_dim: int, temperature: float, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.first = nn.Linear(in_dim, in_dim)
        self.second = nn.Linear(in_dim, in_dim)
        self.dropout = nn.Dropout(dropout)
        self.compare = Compare(in_dim, out_dim)
        self.weigh_first = attention_weight(out_dim)
        self.weigh_second = attention_weight(out_dim)
        self.weigh_across = attention_weight(out_dim)
        self.update = Update(in_dim, out_dim)
        self.norm = NormSelu(out_dim)
        self.compare_master = Compare(in_dim, out_dim)
        self.weigh_master = attention_weight(out_dim)
        self.update_master = Update(in_dim, out_dim)
        self.temperature = temperature

    def forward(
        self, x: Tensor, y: Tensor, master: Tensor, num_second: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Update all nodes.

        Args:
            x: (N, V, C) of the first kind, all real.
            y: (N, V', C) of the second kind.
            master: (N or 1, 1, C).
            num_second: (N,) number of real nodes of the second kind, None for all.

        Returns:
            (N, V, C'), (N, V', C') and (N, 1, C'); what is not real is not zero.
        """
        num_first = x.shape[1]
        num_nodes = None if num_second is None else num_second + num_first
        nodes = self.dropout(torch.cat([self.first(x), self.second(y)], dim=1))
        scores = self._scores(self.compare(nodes, nodes), num_first)
        weights = softmax_over_time(scores / self.temperature, num_nodes)

        heard = self.compare_master(master, nodes)  # (N, 1, V + V', C')
        scores = self.weigh_master(heard)[..., 0] / self.temperature
        for_master = softmax_over_time(scores, num_nodes)  # (N, 1, V + V')
        master = self.update_master(for_master, nodes, master)

        nodes = self.norm(self.update(weights, nodes, nodes))
        return nodes[:, :num_first], nodes[:, num_first:], master

    def _scores(self, compared: Tensor, num_first: int) -> Tensor:
        """(N, V + V', V + V', C') -> (N, V + V', V + V')."""
        above, below = compared[:, :num_first], compared[:, num_first:]
        first = self.weigh_first(above[:, :, :num_first])[..., 0]
        across = self.weigh_across(above[:, :, num_first:])[..., 0]
        second = self.weigh_second(below[:, :, num_first:])[..., 0]
        rows = [
            torch.cat([first, across], dim=2),
            torch.cat([across.transpose(1, 2), second], dim=2),
        ]
        return torch.cat(rows, dim=1)


class GraphPool(nn.Module):
    """Keep the nodes with the highest scores, each multiplied by its score.

    Args:
        dim: C.
        ratio: share of the nodes to keep, at least one.
        dropout: dropout of the input of the scores.
    """

    def __init__(self, dim: int, ratio: float, dropout: float = 0.3) -> None:
        super().__init__()
        self.ratio = ratio
        self.scores = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(dim, 1), nn.Sigmoid()
        )

    def forward(
        self, x: Tensor, num_nodes: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(N, V, C) -> (N, V', C), the best first, and how many of them are real."""
        scores = self.scores(x)  # (N, V, 1)
        ranked = scores if num_nodes is None else zero_nodes(scores, num_nodes)
        best = ranked.topk(num_kept_of(x.shape[1], self.ratio), dim=1).indices
        kept = (x * scores).gather(1, best.expand(-1, -1, x.shape[2]))
        if num_nodes is None:
            return kept, None
        num_kept = (num_nodes.double() * self.ratio).long().clamp(min=1)
        return zero_nodes(kept, num_kept), num_kept


def num_kept_of(num_nodes: int, ratio: float) -> int:
    """Count the nodes to keep; a tensor while a graph is traced, so not a constant."""
    if isinstance(num_nodes, Tensor):
        return (num_nodes.double() * ratio).long().clamp(min=1)
    return max(int(num_nodes * ratio), 1)


def attention_weight(dim: int) -> nn.Linear:
    """Make the vector that turns a comparison into a number."""
    weight = nn.Linear(dim, 1, bias=False)
    nn.init.xavier_normal_(weight.weight)
    return weight
