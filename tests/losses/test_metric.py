"""Metric losses against their definitions, one pair at a time."""

import math

import numpy as np
import pytest
import torch

from asdkit.losses.metric import (
    AngularPrototypical,
    CircleLoss,
    Ge2e,
    Prototypical,
    Triplet,
    by_speaker,
)

NUM_SPKS, NUM_UTTS, EMBEDDING_DIM = 4, 3, 5
LOSSES = [AngularPrototypical, Prototypical, Ge2e, CircleLoss, Triplet]


@pytest.fixture
def batch(rng):
    """Utterances of four speakers, in no order; labels need not be 0, 1, 2, 3."""
    labels = rng.permutation(np.repeat([7, 2, 30, 4], NUM_UTTS))
    embeddings = rng.standard_normal((len(labels), EMBEDDING_DIM)) + labels[:, None] / 9
    return torch.from_numpy(embeddings), torch.from_numpy(labels)


def cosine(x, y):
    return float(x @ y / (x.norm() * y.norm()))


def arrange(batch):
    """speaker -> its utterances, in the order of the batch."""
    speakers = {}
    for x, label in zip(*batch, strict=True):
        speakers.setdefault(int(label), []).append(x)
    return list(speakers.values())


def mean(xs):
    return sum(xs) / len(xs)


def identification(scores, truth):
    """-log softmax of the true one."""
    return math.log(sum(math.exp(s) for s in scores)) - scores[truth]


def angular_prototypical(speakers, w=10.0, b=-5.0):
    losses = []
    for j, utts in enumerate(speakers):
        centroids = [mean(others[:-1]) for others in speakers]
        scores = [w * cosine(utts[-1], centroid) + b for centroid in centroids]
        losses.append(identification(scores, j))
    return mean(losses)


def prototypical(speakers):
    losses = []
    for j, utts in enumerate(speakers):
        centroids = [mean(others[:-1]) for others in speakers]
        scores = [-float(((utts[-1] - c) ** 2).sum()) for c in centroids]
        losses.append(identification(scores, j))
    return mean(losses)


def ge2e(speakers, w=10.0, b=-5.0):
    losses = []
    for j, utts in enumerate(speakers):
        for i, x in enumerate(utts):
            scores = []
            for k, others in enumerate(speakers):
                kept = [y for m, y in enumerate(others) if (k, m) != (j, i)]
                scores.append(w * max(cosine(x, mean(kept)), 1e-6) + b)
            losses.append(identification(scores, j))
    return mean(losses)


def pairs_of(speakers):
    """For every utterance: cosines with the same speaker, and with others."""
    utts = [(j, x) for j, xs in enumerate(speakers) for x in xs]
    for n, (j, x) in enumerate(utts):
        rest = utts[:n] + utts[n + 1 :]
        same = [cosine(x, y) for k, y in rest if k == j]
        yield same, [cosine(x, y) for k, y in rest if k != j]


def circle(speakers, scale=256.0, margin=0.25):
    losses = []
    for same, other in pairs_of(speakers):
        logits = [scale * max(0, s + margin) * (s - margin) for s in other]
        pulls = [-scale * max(0, 1 + margin - s) * (s - 1 + margin) for s in same]
        # log(1 + sum_n exp(a_n) sum_p exp(b_p)), the sums written as one over pairs
        exponents = [0.0, *(a + b for a in logits for b in pulls)]
        top = max(exponents)
        losses.append(top + math.log(sum(math.exp(e - top) for e in exponents)))
    return mean(losses)


def triplet(speakers, margin=0.2):
    losses = []
    for same, other in pairs_of(speakers):
        farthest = max(2 - 2 * s for s in same)
        nearest = min(2 - 2 * s for s in other)
        losses.append(max(0, margin + farthest - nearest))
    return mean(losses)


@pytest.mark.parametrize(
    ("kind", "definition"),
    [
        (AngularPrototypical, angular_prototypical),
        (Prototypical, prototypical),
        (Ge2e, ge2e),
        (CircleLoss, circle),
        (Triplet, triplet),
    ],
)
def test_metric_losses_equal_their_definitions(kind, definition, batch):
    value = kind().double()(*batch).item()
    assert value == pytest.approx(definition(arrange(batch)), rel=1e-9)


def test_options_change_the_loss_as_the_definition_says(batch):
    value = CircleLoss(scale=5.0, margin=0.4)(*batch).item()
    assert value == pytest.approx(circle(arrange(batch), 5.0, 0.4), rel=1e-9)
    value = Triplet(margin=3.0)(*batch).item()
    assert value == pytest.approx(triplet(arrange(batch), 3.0), rel=1e-9)


@pytest.mark.parametrize("kind", [AngularPrototypical, Prototypical, Ge2e, Triplet])
def test_the_gradient_is_that_of_the_value(kind, batch):
    embeddings, labels = batch
    loss = kind().double()
    parameters = [p.detach().requires_grad_() for p in loss.parameters()]
    names = [name for name, _ in loss.named_parameters()]

    def value(embeddings, *parameters):
        state = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(loss, state, (embeddings, labels))

    assert torch.autograd.gradcheck(value, (embeddings.requires_grad_(), *parameters))


def test_the_gradient_of_the_circle_loss_takes_its_weights_for_constants(batch):
    """The paper's equation (10): dL/ds_n is proportional to s_n + m, and not to 2 s_n.

    A copy of the loss with frozen weights must have the same gradient, and that of
    the copy must be the slope of its value.
    """
    embeddings, labels = batch
    scale, margin = 5.0, 0.25
    groups = torch.unique(labels, return_inverse=True)[1]

    def cosines(embeddings):
        unit = embeddings / embeddings.norm(dim=1, keepdim=True)
        return unit @ unit.T

    frozen = cosines(embeddings)

    def value(embeddings):
        now = cosines(embeddings)
        losses = []
        for i in range(len(now)):
            pulls, pushes = [], []
            for j in range(len(now)):
                s, weight_of = now[i, j], frozen[i, j]
                if j != i and groups[i] == groups[j]:
                    weight = (1 + margin - weight_of).clamp(min=0)
                    pulls.append(torch.exp(-scale * weight * (s - 1 + margin)))
                elif j != i:
                    weight = (weight_of + margin).clamp(min=0)
                    pushes.append(torch.exp(scale * weight * (s - margin)))
            losses.append(torch.log(1 + sum(pulls) * sum(pushes)))
        return sum(losses) / len(losses)

    embeddings.requires_grad_()
    assert torch.autograd.gradcheck(value, embeddings)
    (expected,) = torch.autograd.grad(value(embeddings), embeddings)
    loss = CircleLoss(scale, margin)(embeddings, labels)
    (found,) = torch.autograd.grad(loss, embeddings)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", LOSSES)
def test_the_order_of_speakers_does_not_matter(kind, batch):
    embeddings, labels = batch
    order = labels.argsort(descending=True, stable=True)
    loss = kind().double()
    torch.testing.assert_close(
        loss(embeddings[order], labels[order]), loss(embeddings, labels)
    )


@pytest.mark.parametrize("kind", LOSSES)
def test_speakers_far_apart_cost_less_than_speakers_in_one_place(kind, rng):
    labels = torch.arange(4).repeat_interleave(3)
    noise = torch.from_numpy(rng.standard_normal((12, 6)) * 0.05)
    apart = torch.eye(6, dtype=torch.float64)[labels] * 3 + noise
    loss = kind().double()
    assert loss(apart, labels) < 0.1 * loss(1 + noise, labels)


@pytest.mark.parametrize("kind", [AngularPrototypical, Ge2e])
def test_a_scale_that_became_negative_is_clamped_and_can_come_back(kind, batch):
    loss = kind().double()
    with torch.no_grad():
        loss.scale.w.fill_(-1)
    loss(*batch).backward()
    assert loss.scale.w.item() == pytest.approx(1e-6)
    assert loss.scale.w.grad.abs() > 0


@pytest.mark.parametrize("kind", [AngularPrototypical, Ge2e])
def test_two_batches_can_be_added_before_going_back(kind, batch):
    """Clamping in place must not disturb a graph that waits for its backward."""
    loss = kind().double()
    (loss(*batch) + loss(*batch)).backward()
    assert loss.scale.w.grad.isfinite()


@pytest.mark.parametrize("kind", LOSSES)
def test_half_precision_embeddings_are_treated_in_float32(kind, batch):
    embeddings, labels = batch
    loss = kind()
    for dtype in (torch.float16, torch.bfloat16):
        half = embeddings.to(dtype)
        expected = loss(half.float(), labels)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = loss(half, labels)
        assert found.dtype == torch.float32
        assert torch.equal(found, expected)


def test_by_speaker_keeps_the_order_of_the_batch():
    labels = torch.tensor([5, 1, 5, 1])
    x = by_speaker(torch.arange(4.0)[:, None], labels)
    assert x[..., 0].tolist() == [[1, 3], [0, 2]]


@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    ("labels", "got"),
    [
        ([0, 0, 1], r"got 2 speaker\(s\) with 1 to 2 utterances"),
        ([0, 1, 2], r"got 3 speaker\(s\) with 1 to 1 utterances"),
        ([4, 4, 4], r"got 1 speaker\(s\) with 3 to 3 utterances"),
    ],
)
def test_an_unbalanced_batch_is_refused(kind, labels, got):
    with pytest.raises(ValueError, match=got):
        kind()(torch.ones(3, 2), torch.tensor(labels))
