"""Optimizers of a network and of its objective's own parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from asdkit.base.errors import AsdkitError

if TYPE_CHECKING:
    from asdkit.training.loop import Training


def new_optimizers(
    training: Training, network: nn.Module, objective: nn.Module
) -> list[torch.optim.Optimizer]:
    """Construct one optimizer for network and objective, or one for each.

    Args:
        training: its options choose them; the arguments say how.
        network: the network.
        objective: the training objective, whose parameters may include a classifier's.

    Raises:
        AsdkitError: the objective is to have its own, but has no parameters.
    """
    of_network = [*network.parameters()]
    known = {id(parameter) for parameter in of_network}
    own = [x for x in objective.parameters() if id(x) not in known]
    if training.loss_optimizer == "same":
        return [_new_optimizer(training, [*of_network, *own])]
    if not own:
        raise AsdkitError(
            f"--loss-optimizer {training.loss_optimizer}: this loss has no parameters"
        )
    return [_new_optimizer(training, of_network), torch.optim.SGD(own)]


def _new_optimizer(
    training: Training, parameters: list[nn.Parameter]
) -> torch.optim.Optimizer:
    """Construct the optimizer of the network."""
    decay = training.weight_decay
    if training.optimizer == "sgd":
        momentum = training.momentum
        return torch.optim.SGD(
            parameters, momentum=momentum, nesterov=momentum > 0, weight_decay=decay
        )
    kind = torch.optim.AdamW if training.optimizer == "adamw" else torch.optim.Adam
    return kind(
        parameters,
        betas=(0.9, training.beta2),
        eps=training.adam_epsilon,
        weight_decay=decay,
        amsgrad=training.amsgrad,
    )


def set_rates(
    optimizers: Sequence[torch.optim.Optimizer], training: Training, rate: float
) -> None:
    """Set the learning rates of a step; ``rate`` is the network's."""
    own = training.loss_learning_rate or training.learning_rate
    factors = 1.0, own / training.learning_rate
    for optimizer, factor in zip(optimizers, factors, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = factor * rate
