"""The table of losses."""

import pytest
import torch

from asdkit.base.registry import defaults_of
from asdkit.losses.registry import LOSSES, build


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_built_runs_and_falls_along_its_gradient(name, rng):
    num_classes = 2 if name == "oc_softmax" else 4
    loss = build(name, 6, num_classes, **defaults_of(LOSSES, name))
    labels = torch.arange(12) % num_classes
    embeddings = torch.from_numpy(rng.standard_normal((12, 6))).requires_grad_()
    loss = loss.double()
    before = loss(embeddings, labels)
    (slope,) = torch.autograd.grad(before, embeddings)
    assert loss(embeddings - 1e-4 * slope / slope.norm(), labels) < before


def test_options_are_passed_on():
    assert build("aam_softmax", 6, 4, margin=0.3, scale=20.0).margin == 0.3
    assert build("circle", 6, 4, margin=0.3).margin == 0.3


def test_unknown_names_and_options_are_named():
    with pytest.raises(ValueError, match=r"expected one of cross_entropy, .*'softmax'"):
        build("softmax", 6, 4)
    with pytest.raises(ValueError, match="ge2e has no option 'margin'; it has none"):
        build("ge2e", 6, 4, margin=0.1)
