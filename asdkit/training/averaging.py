"""Average of a model's weights over its training, often better than the last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage:
    """Average the weights of a model, and the statistics of its normalizations.

    `asdkit.training.schedules.average_share` gives when it moves, and how far.

    Attributes:
        weights: name -> tensor, as in the model's state; empty before it begins.
    """

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}

    @torch.no_grad()
    def move(self, model: nn.Module, share: float) -> None:
        """Move a share of the way to the model's weights; 1 begins there."""
        if share == 0:
            return
        new = model.state_dict()
        if share == 1 or not self.weights:
            self.weights = {name: tensor.clone() for name, tensor in new.items()}
            return
        floats = [name for name, x in new.items() if x.is_floating_point()]
        torch._foreach_lerp_(
            [self.weights[name] for name in floats], [new[n] for n in floats], share
        )
        for name in new.keys() - set(floats):  # counters
            self.weights[name].copy_(new[name])

    def apply(self, model: nn.Module) -> None:
        """Set a model's weights to the average, if there is one."""
        if self.weights:
            model.load_state_dict(self.weights)

    @contextlib.contextmanager
    def lent(self, model: nn.Module) -> Iterator[None]:
        """Set a model's weights to the average within a ``with`` block."""
        if not self.weights:
            yield
            return
        own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        self.apply(model)
        try:
            yield
        finally:
            model.load_state_dict(own)

    def state_dict(self) -> dict[str, Any]:
        """Return the average, for a checkpoint."""
        return self.weights

    def load_state_dict(self, state: dict[str, Any], device: str) -> None:
        """Restore the average from `state_dict`."""
        self.weights = {name: tensor.to(device) for name, tensor in state.items()}
