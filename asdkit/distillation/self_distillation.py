"""Self-distillation: a network's deepest stage teaches the earlier ones.

Every stage but the last gets a classifier and an adapter of its own.  These belong to
the objective: they are trained with the network and discarded, so that the network in
use is the plain one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import NonNegative, Positive, Share
from asdkit.losses.classification import ClassificationLoss
from asdkit.losses.distillation import kl_divergence
from asdkit.losses.objective import LabeledBatch, Labels
from asdkit.nnet.attention import average
from asdkit.nnet.network import Network
from asdkit.nnet.padding import strided, zero_padding
from asdkit.nnet.residual import Stage, Stages, conv_norm_relu

StageMap = tuple[Tensor, Tensor | None]  # (N, C, D, T) and how many frames are real


class SelfDistillation(Labels):
    """Classify with the deepest stage, and make the others agree with it.

    With F_i the mean over a stage's map, z_i the logits of its classifier without
    margin, A_i its adapter, and the last of n stages detached as a teacher:
    ``hard_share * loss(z_n) + (1 - hard_share) sum_i T^2 KL(z_n / T, z_i / T)
    + feature_weight sum_i mean (A_i(F_i) - F_n)^2`` over the stages i < n.

    Args:
        loss: classifier of the network's embeddings; those of the other stages are of
            its kind.
        network: network with "stages", e.g. a SENet.
        hard_share: weight of the labels; agreement with the deepest stage's logits gets
            the rest.
        feature_weight: weight of the distance to the deepest stage's features.
        temperature: temperature that divides the logits before they are compared.
        hard_on: classifiers that learn from the labels: that of the deepest stage, or
            all.
        adapter: map from a stage's features to the deepest stage's: strided
            convolutions (conv), or a linear map of their mean (linear).
        labels: options of `Labels`.

    Raises:
        AsdkitError: the network has no stages, or the loss is no classifier.

    Source: J. Xue et al., "Learning from yourself: a self-distillation method for fake
    speech detection", ICASSP 2023; what the paper leaves open, temperature and
    adapters, is as L. Zhang et al., "Be your own teacher", ICCV 2019, have it.
    """

    def __init__(
        self,
        loss: nn.Module,
        network: Network,
        hard_share: Share = 0.7,
        feature_weight: NonNegative = 0.3,
        temperature: Positive = 3.0,
        hard_on: Literal["deepest", "all"] = "deepest",
        adapter: Literal["conv", "linear"] = "conv",
        **labels: Any,
    ) -> None:
        super().__init__(loss, **labels)
        if not isinstance(loss, ClassificationLoss):
            raise AsdkitError("self-distillation compares the logits of classifiers")
        channels = [last_channels(stage) for stage in stages_of(network)]
        make = Halving if adapter == "conv" else MeanThenLinear
        self.heads = nn.ModuleList(classifier_like(loss, c) for c in channels[:-1])
        self.adapters = nn.ModuleList(
            make(channels[i:]) for i in range(len(channels) - 1)
        )
        self.hard_share = hard_share
        self.feature_weight = feature_weight
        self.temperature = temperature
        self.hard_on = hard_on

    def schedule(self, step: int, num_steps: int) -> dict[str, float]:
        """Set the margin or annealing of all classifiers."""
        values = super().schedule(step, num_steps)
        for head in self.heads:
            for name, value in values.items():
                setattr(head, name, value)
        return values

    def forward(self, network: nn.Module, batch: LabeledBatch) -> dict[str, Tensor]:
        """Run the network on a batch; compute the loss, and the stages' distances."""
        assert isinstance(network, Network)
        assert isinstance(self.loss, ClassificationLoss)
        with watch_stages(network) as maps:
            embeddings = network(batch.feats, batch.num_frames)
        hard = self.loss(embeddings, batch.labels)
        logits = self.loss.logits(embeddings).detach()
        features = average(*maps[-1]).float().detach()  # (N, C)
        soft = distance = torch.zeros_like(hard)
        for head, adapter, found in zip(
            self.heads, self.adapters, maps[:-1], strict=True
        ):
            assert isinstance(head, ClassificationLoss)
            pooled = average(*found)  # (N, C_i)
            soft = soft + kl_divergence(head.logits(pooled), logits, self.temperature)
            distance = distance + (adapter(*found).float() - features).square().mean()
            if self.hard_on == "all":
                hard = hard + head(pooled, batch.labels)
        return {
            "loss": self.hard_share * hard,
            "soft": (1 - self.hard_share) * soft,
            "features": self.feature_weight * distance,
        }


class Halving(nn.Module):
    """Convolutions that shrink a map as the later stages do, then the mean.

    Args:
        channels: C of the map's stage, and of later ones.
    """

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            conv_norm_relu(before, after, 3, (2, 2))
            for before, after in pairwise(channels)
        )

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, D, T) and how many frames are real -> (N, C') of the last stage."""
        for layer in self.layers:
            num_frames = strided(num_frames, 2)
            x = zero_padding(layer(x), num_frames)
        return average(x, num_frames)


class MeanThenLinear(nn.Module):
    """The mean of a map, mapped to the last stage's channels.

    Args:
        channels: C of the map's stage, and of later ones.
    """

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.linear = nn.Linear(channels[0], channels[-1])

    def forward(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, C, D, T) and how many frames are real -> (N, C') of the last stage."""
        return self.linear(average(x, num_frames))


@contextmanager
def watch_stages(network: Network) -> Iterator[list[StageMap]]:
    """Collect the map of every stage whenever the network runs."""
    maps: list[StageMap] = []

    def collect(stage: nn.Module, inputs: Any, output: StageMap) -> None:
        maps.append(output)

    hooks = [stage.register_forward_hook(collect) for stage in stages_of(network)]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def stages_of(network: Network) -> list[Stage]:
    """Return the stages of a network.

    Raises:
        AsdkitError: it has none.
    """
    stages = getattr(network, "stages", None)
    if not isinstance(stages, Stages):
        raise AsdkitError(
            f"self-distillation: {type(network).__name__} has no stages",
            hint="choose a SENet, an ECANet or a ResNet",
        )
    return [stage for stage in stages.stages if isinstance(stage, Stage)]


def last_channels(stage: Stage) -> int:
    """Return C of the map that a stage gives."""
    channels = stage.blocks[-1].out_channels
    assert isinstance(channels, int)
    return channels


def classifier_like(loss: ClassificationLoss, dim: int) -> ClassificationLoss:
    """Return an untrained classifier of (N, dim) with the options of another."""
    head = copy.deepcopy(loss)
    weight = loss.weight.new_empty(len(loss.weight), dim)
    head.weight = nn.Parameter(nn.init.xavier_uniform_(weight))
    return head
