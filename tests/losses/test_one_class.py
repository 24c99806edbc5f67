"""OC-softmax against its definition, one utterance at a time."""

import math

import pytest
import torch

from asdkit.base.errors import FitError
from asdkit.losses.one_class import OcSoftmax


@pytest.fixture
def batch(rng):
    embeddings = torch.from_numpy(rng.standard_normal((9, 5)) * 3)
    return embeddings, torch.from_numpy(rng.integers(2, size=9))


def define(embeddings, labels, direction, scale, bonafide_margin, spoof_margin):
    losses = []
    for x, label in zip(embeddings, labels.tolist(), strict=True):
        cosine = float(x @ direction / (x.norm() * direction.norm()))
        missing = bonafide_margin - cosine if label else cosine - spoof_margin
        losses.append(math.log(1 + math.exp(scale * missing)))
    return losses


@pytest.mark.parametrize("options", [(20.0, 0.9, 0.2), (3.0, 0.5, -0.1)])
def test_oc_softmax_equals_its_definition(options, batch):
    loss = OcSoftmax(5, 2, *options).double()
    expected = define(*batch, loss.weight.detach()[0], *options)
    value = loss(*batch).item()
    assert value == pytest.approx(sum(expected) / len(expected), rel=1e-9)


def test_the_published_options_are_the_defaults(batch):
    loss = OcSoftmax(5, 2).double()
    expected = define(*batch, loss.weight.detach()[0], 20.0, 0.9, 0.2)
    assert loss(*batch).item() == pytest.approx(sum(expected) / 9, rel=1e-9)


def test_class_weights_weigh(batch):
    loss = OcSoftmax(5, 2, class_weights=(0.1, 0.9)).double()
    losses = define(*batch, loss.weight.detach()[0], 20.0, 0.9, 0.2)
    weights = [0.9 if label else 0.1 for label in batch[1].tolist()]
    pairs = zip(weights, losses, strict=True)
    expected = sum(weight * value for weight, value in pairs) / sum(weights)
    assert loss(*batch).item() == pytest.approx(expected, rel=1e-6)


def test_the_gradient_is_that_of_the_value(batch):
    embeddings, labels = batch
    loss = OcSoftmax(5, 2).double()

    def value(embeddings, weight):
        state = {"weight": weight}
        return torch.func.functional_call(loss, state, (embeddings, labels))

    inputs = (embeddings.requires_grad_(), loss.weight.detach().requires_grad_())
    assert torch.autograd.gradcheck(value, inputs)


def test_scores_are_cosines_and_higher_for_bona_fide_speech(batch):
    loss = OcSoftmax(5, 2).double()
    direction = loss.weight.detach()[0]
    scores = loss.scores(torch.stack([7 * direction, -direction]))
    assert scores.tolist() == pytest.approx([1, -1])
    found = loss.scores(batch[0])
    expected = [float(x @ direction / x.norm() / direction.norm()) for x in batch[0]]
    assert found.tolist() == pytest.approx(expected)


def test_gradients_on_the_direction_itself_are_finite():
    loss = OcSoftmax(5, 2)
    embeddings = torch.cat([loss.weight, -loss.weight]).detach().requires_grad_()
    loss(embeddings, torch.tensor([1, 0])).backward()
    assert embeddings.grad.isfinite().all()
    assert loss.weight.grad.isfinite().all()


def test_half_precision_embeddings_are_treated_in_float32(batch):
    embeddings, labels = batch
    loss = OcSoftmax(5, 2)
    half = embeddings.to(torch.bfloat16)
    expected = loss(half.float(), labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss(half, labels), expected)


def test_there_are_two_classes():
    with pytest.raises(FitError, match="not 7 classes"):
        OcSoftmax(5, 7)
