"""Optimizers: which ones, of which parameters, at which rates."""

import pytest
import torch
from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.training.loop import Training
from asdkit.training.optimizers import new_optimizers, set_rates


@pytest.fixture
def models():
    """A network, and an objective that uses it and has a classifier of its own."""
    network, objective = nn.Linear(3, 2), nn.Module()
    objective.network, objective.classifier = network, nn.Linear(2, 4)
    return network, objective


def sizes(optimizer):
    return [x.numel() for group in optimizer.param_groups for x in group["params"]]


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("sgd", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        ("adam", torch.optim.Adam, {"betas": (0.9, 0.98), "eps": 1e-5}),
        ("adamw", torch.optim.AdamW, {"betas": (0.9, 0.98), "eps": 1e-5}),
    ],
)
def test_one_optimizer_has_every_parameter_once(models, name, kind, options):
    training = Training(
        optimizer=name, weight_decay=0.25, beta2=0.98, adam_epsilon=1e-5
    )
    (found,) = new_optimizers(training, *models)
    assert type(found) is kind
    assert sizes(found) == [6, 2, 8, 4]
    expected = options | {"weight_decay": 0.25}
    assert {x: found.defaults[x] for x in expected} == expected


def test_two_optimizers_share_nothing_and_have_their_rates(models):
    training = Training(
        learning_rate=0.1, loss_optimizer="sgd", loss_learning_rate=0.02
    )
    found = new_optimizers(training, *models)
    assert [sizes(x) for x in found] == [[6, 2], [8, 4]]
    assert found[1].defaults["momentum"] == found[1].defaults["weight_decay"] == 0
    set_rates(found, training, 0.05)
    rates = [group["lr"] for x in found for group in x.param_groups]
    assert rates == pytest.approx([0.05, 0.01])


def test_an_objective_without_parameters_has_no_optimizer(models):
    with pytest.raises(AsdkitError, match="--loss-optimizer sgd"):
        new_optimizers(Training(loss_optimizer="sgd"), models[0], models[0])
