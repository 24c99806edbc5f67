import pytest
import torch

from asdkit.batches.batches import Batch
from asdkit.losses import registry
from asdkit.losses.objective import Labels


@pytest.fixture
def batch():
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    return Batch(list("abcdef"), torch.zeros(6, 5, 4), torch.full((6,), 5), labels)


@pytest.mark.parametrize("name", registry.LOSSES)
def test_every_loss_is_an_objective(name, batch):
    torch.manual_seed(0)
    if name == "oc_softmax":
        batch = batch._replace(labels=batch.labels % 2)
    loss = registry.build(name, 4, len(batch.labels.unique()))
    objective = Labels(loss, margin_start=0.0, margin_stop=0.0)
    values = objective.schedule(5000, 5001)
    x = torch.randn(6, 4, requires_grad=True)
    terms = objective(lambda feats, num_frames: x, batch)
    torch.testing.assert_close(terms, {"loss": loss(x, batch.labels)})
    terms["loss"].backward()
    assert x.grad.isfinite().all()
    assert all(isinstance(value, float) for value in values.values())


@pytest.mark.parametrize("name", ["am_softmax", "aam_softmax"])
def test_the_margin_grows_to_what_the_loss_was_built_with(name):
    loss = registry.build(name, 4, 3, margin=0.3)
    objective = Labels(loss, margin_start=0.2, margin_stop=0.5)
    seen = []
    for step in (0, 20, 30, 50, 99, 0):
        assert objective.schedule(step, 100) == {"margin": loss.margin}
        seen.append(loss.margin)
    assert seen[:2] == [0, 0]
    assert 0 < seen[2] < 0.3
    assert seen[3:] == [0.3, 0.3, 0]


def test_a_softmax_is_annealed():
    loss = registry.build("a_softmax", 4, 3)
    objective = Labels(loss)
    assert objective.schedule(0, 100) == {"annealing": loss.annealing_at(1)}
    assert loss.annealing == pytest.approx(1500 / 1.1)


def test_margins_of_metric_losses_are_left_alone():
    loss = registry.build("circle", 4, 3)
    assert Labels(loss).schedule(0, 100) == {}
    assert loss.margin == 0.25
