"""Classification losses against their definitions, one number at a time."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from asdkit.losses.classification import (
    AamSoftmax,
    AmSoftmax,
    ASoftmax,
    CrossEntropy,
    P2sGrad,
)

EMBEDDING_DIM = 5
NUM_CLASSES = 4


@pytest.fixture
def batch(rng):
    embeddings = torch.from_numpy(rng.standard_normal((7, EMBEDDING_DIM)) * 3)
    return embeddings, torch.from_numpy(rng.integers(NUM_CLASSES, size=7))


def cross_entropy(logits, labels):
    """The mean of -log softmax, in loops."""
    losses = []
    for row, label in zip(logits, labels.tolist(), strict=True):
        total = sum(math.exp(logit - max(row)) for logit in row)
        losses.append(max(row) + math.log(total) - row[label])
    return sum(losses) / len(losses)


def angle(x, w):
    return math.acos(float(x @ w / (x.norm() * w.norm())))


def scaled(scale, penalize):
    """Logits: scale times cosine, that of the true class penalized by its angle."""

    def logits(loss, embeddings, labels):
        rows = []
        for x, label in zip(embeddings, labels.tolist(), strict=True):
            angles = [angle(x, w) for w in loss.weight.detach()]
            values = [math.cos(theta) for theta in angles]
            values[label] = penalize(angles[label])
            rows.append([scale(x) * value for value in values])
        return rows

    return logits


def aam(margin):
    def penalize(theta):
        if theta < math.pi - margin:
            return math.cos(theta + margin)
        return math.cos(theta) - (1 + math.cos(math.pi - margin))

    return penalize


def psi(theta):
    """SphereFace's monotonous continuation of cos(4 theta)."""
    k = math.floor(4 * theta / math.pi)
    return (-1) ** k * math.cos(4 * theta) - 2 * k


def eased(annealing):
    def penalize(theta):
        cosine = math.cos(theta)
        return cosine + (psi(theta) - cosine) / (1 + annealing)

    return penalize


CASES = {
    "am": (
        partial(AmSoftmax, scale=3.0, margin=0.3),
        scaled(lambda x: 3.0, lambda theta: math.cos(theta) - 0.3),
    ),
    "aam": (
        partial(AamSoftmax, scale=3.0, margin=0.4),
        scaled(lambda x: 3.0, aam(0.4)),
    ),
    "aam, most angles beyond pi - margin": (
        partial(AamSoftmax, scale=3.0, margin=1.5),
        scaled(lambda x: 3.0, aam(1.5)),
    ),
    "a": (ASoftmax, scaled(lambda x: float(x.norm()), eased(5.0))),
    "a, not eased": (
        partial(ASoftmax, annealing=0.0),
        scaled(lambda x: float(x.norm()), psi),
    ),
}


@pytest.mark.parametrize(("kind", "logits"), CASES.values(), ids=CASES)
def test_margin_losses_equal_their_definitions(kind, logits, batch):
    embeddings, labels = batch
    loss = kind(EMBEDDING_DIM, NUM_CLASSES).double()
    expected = logits(loss, embeddings, labels)
    found = loss.logits(embeddings, labels)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=found.dtype))
    value = cross_entropy(expected, labels)
    assert loss(embeddings, labels).item() == pytest.approx(value, rel=1e-9)


def test_cross_entropy_equals_its_definition(batch):
    embeddings, labels = batch
    loss = CrossEntropy(EMBEDDING_DIM, NUM_CLASSES).double()
    nn.init.normal_(loss.bias)
    rows = list(zip(loss.weight.detach(), loss.bias.tolist(), strict=True))
    logits = [[float(x @ w) + b for w, b in rows] for x in embeddings]
    value = loss(embeddings, labels).item()
    assert value == pytest.approx(cross_entropy(logits, labels), rel=1e-9)


def test_the_nearest_subcenter_of_a_class_counts(batch):
    embeddings, labels = batch
    loss = AamSoftmax(EMBEDDING_DIM, NUM_CLASSES, num_subcenters=3).double()
    assert loss.weight.shape == (12, EMBEDDING_DIM)
    logits = loss.logits(embeddings, labels)
    for i, x in enumerate(embeddings):
        for k in range(NUM_CLASSES):
            theta = min(angle(x, w) for w in loss.weight[3 * k : 3 * k + 3].detach())
            cosine = aam(0.2)(theta) if k == labels[i] else math.cos(theta)
            assert logits[i, k].item() == pytest.approx(32 * cosine, rel=1e-9)


def test_p2s_grad_is_the_squared_error_of_cosines(batch):
    embeddings, labels = batch
    loss = P2sGrad(EMBEDDING_DIM, NUM_CLASSES).double()
    errors = [
        (math.cos(angle(x, w)) - (k == label)) ** 2
        for x, label in zip(embeddings, labels.tolist(), strict=True)
        for k, w in enumerate(loss.weight.detach())
    ]
    expected = sum(errors) / len(errors)
    assert loss(embeddings, labels).item() == pytest.approx(expected, rel=1e-9)


def test_p2s_grad_has_the_gradient_that_it_is_named_for(batch):
    """Equation (11): sum_k (cos_k - 1[k = y]) times the gradient of the cosine."""
    embeddings, labels = batch
    loss = P2sGrad(EMBEDDING_DIM, NUM_CLASSES).double()
    (found,) = torch.autograd.grad(
        loss(embeddings.requires_grad_(), labels), embeddings
    )
    for x, label, gradient in zip(embeddings.detach(), labels, found, strict=True):
        expected = torch.zeros_like(x)
        for k, w in enumerate(loss.weight.detach()):
            unit, cosine = x / x.norm(), math.cos(angle(x, w))
            slope = (w / w.norm() - cosine * unit) / x.norm()
            expected += (cosine - float(k == label)) * slope
        scale = 2 / (NUM_CLASSES * len(labels))
        torch.testing.assert_close(gradient, scale * expected)


LOSSES = [CrossEntropy, AmSoftmax, AamSoftmax, ASoftmax, P2sGrad]


@pytest.mark.parametrize("kind", LOSSES)
def test_the_gradient_is_that_of_the_value(kind, batch):
    embeddings, labels = batch
    loss = kind(EMBEDDING_DIM, NUM_CLASSES).double()

    def value(embeddings, weight):
        state = {"weight": weight}
        return torch.func.functional_call(loss, state, (embeddings, labels))

    inputs = (embeddings.requires_grad_(), loss.weight.detach().requires_grad_())
    assert torch.autograd.gradcheck(value, inputs)


@pytest.mark.parametrize("kind", LOSSES)
def test_without_labels_there_is_no_margin(kind, batch):
    """The logits of a wrong class are what they are without labels."""
    embeddings, labels = batch
    loss = kind(EMBEDDING_DIM, NUM_CLASSES).double()
    free, bound = loss.logits(embeddings), loss.logits(embeddings, labels=labels)
    is_true = nn.functional.one_hot(labels, NUM_CLASSES).bool()
    assert torch.equal(free[~is_true], bound[~is_true])
    if kind not in (CrossEntropy, P2sGrad):
        assert (bound[is_true] < free[is_true]).all()


@pytest.mark.parametrize("kind", [AmSoftmax, AamSoftmax])
def test_a_margin_can_be_scheduled(kind, batch):
    embeddings, labels = batch
    loss = kind(EMBEDDING_DIM, NUM_CLASSES, margin=0.0).double()
    torch.testing.assert_close(loss.logits(embeddings), loss.logits(embeddings, labels))
    values = []
    for margin in [0.0, 0.1, 0.2, 0.3]:
        loss.margin = margin
        values.append(loss(embeddings, labels).item())
    assert values == sorted(values)
    assert len(set(values)) == 4


def test_a_larger_angle_never_has_a_larger_logit():
    cosines = torch.linspace(1, -1, 10_001, dtype=torch.float64)
    for loss in [AamSoftmax(2, 2, margin=0.5), ASoftmax(2, 2, annealing=0.0)]:
        penalized = loss.penalize(cosines)
        assert (penalized.diff() < 0).all()
        assert penalized.diff().min() > -0.1  # and it has no jump


def test_a_softmax_is_eased_in():
    published, short = ASoftmax(2, 2), ASoftmax(2, 2, annealing_steps=299)
    assert published.annealing_at(1) == pytest.approx(1500 / 1.1)
    assert published.annealing_at(100) == pytest.approx(1500 / 11)
    assert published.annealing_at(2989) > published.annealing_at(2990) == 5
    assert published.annealing_at(10_000) == 5
    assert short.annealing_at(30) == published.annealing_at(300)


def test_class_weights_weigh(batch):
    embeddings, labels = batch
    labels[:2] = torch.tensor([0, 1])
    loss = CrossEntropy(EMBEDDING_DIM, 2, class_weights=(0.9, 0.1)).double()
    plain = CrossEntropy(EMBEDDING_DIM, 2).double()
    plain.load_state_dict(loss.state_dict(), strict=False)
    labels = labels % 2
    weights = torch.tensor([0.9 if label == 0 else 0.1 for label in labels.tolist()])
    each = torch.stack(
        [plain(x[None], y[None]) for x, y in zip(embeddings, labels, strict=True)]
    )
    expected = (weights * each).sum() / weights.sum()
    torch.testing.assert_close(loss(embeddings, labels), expected, rtol=1e-6, atol=0)


def test_class_weights_weigh_squared_errors(batch):
    embeddings, labels = batch
    labels = labels % 2
    loss = P2sGrad(EMBEDDING_DIM, 2, class_weights=(0.9, 0.1)).double()
    plain = P2sGrad(EMBEDDING_DIM, 2).double()
    plain.load_state_dict(loss.state_dict(), strict=False)
    weights = [0.9 if label == 0 else 0.1 for label in labels.tolist()]
    pairs = zip(weights, embeddings, labels, strict=True)
    total = sum(weight * plain(x[None], y[None]).item() for weight, x, y in pairs)
    expected = total / sum(weights)
    assert loss(embeddings, labels).item() == pytest.approx(expected, rel=1e-6)


def test_scores_are_log_odds(batch):
    embeddings, _ = batch
    margins = (partial(kind, scale=3.0) for kind in (AmSoftmax, AamSoftmax))
    for kind in (CrossEntropy, *margins):
        loss = kind(EMBEDDING_DIM, 2).double()
        posteriors = loss.logits(embeddings).softmax(dim=1)
        torch.testing.assert_close(loss.scores(embeddings), posteriors[:, 1].logit())


def test_scores_of_a_softmax_are_bona_fide_logits_and_of_p2s_grad_cosines(batch):
    embeddings, _ = batch
    a, p = ASoftmax(EMBEDDING_DIM, 2).double(), P2sGrad(EMBEDDING_DIM, 2).double()
    for i, x in enumerate(embeddings):
        cosine = math.cos(angle(x, a.weight[1].detach()))
        score = a.scores(embeddings)[i].item()
        assert score == pytest.approx(float(x.norm()) * cosine, rel=1e-9)
        cosine = math.cos(angle(x, p.weight[1].detach()))
        assert p.scores(embeddings)[i].item() == pytest.approx(cosine, rel=1e-9)


@pytest.mark.parametrize("kind", LOSSES)
def test_training_for_two_classes_raises_the_scores_of_bona_fide_speech(kind, rng):
    labels = torch.arange(40) % 2
    shift = 2.0 * labels[:, None] - 1
    embeddings = torch.from_numpy(rng.standard_normal((40, EMBEDDING_DIM))) + shift
    loss = kind(EMBEDDING_DIM, 2).double()
    optimizer = torch.optim.Adam(loss.parameters(), 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        loss(embeddings, labels).backward()
        optimizer.step()
    scores = loss.scores(embeddings)
    assert scores[labels == 1].min() > scores[labels == 0].median()
    assert scores[labels == 0].max() < scores[labels == 1].median()


@pytest.mark.parametrize("kind", LOSSES)
def test_more_than_two_classes_have_no_score(kind, batch):
    with pytest.raises(ValueError, match="tells 2 classes apart, not 4"):
        kind(EMBEDDING_DIM, NUM_CLASSES).double().scores(batch[0])


@pytest.mark.parametrize("kind", LOSSES)
def test_half_precision_embeddings_are_treated_in_float32(kind, batch):
    embeddings, labels = batch
    loss = kind(EMBEDDING_DIM, NUM_CLASSES)
    for dtype in (torch.float16, torch.bfloat16):
        half = embeddings.to(dtype)
        expected = loss(half.float(), labels)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = loss(half, labels)
            assert loss.logits(half).dtype == torch.float32
        assert found.dtype == torch.float32
        assert torch.equal(found, expected)


@pytest.mark.parametrize("kind", [AmSoftmax, AamSoftmax, ASoftmax])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_embedding_on_its_class_or_opposite_has_finite_gradients(kind, sign):
    loss = kind(EMBEDDING_DIM, NUM_CLASSES)
    embeddings = (sign * loss.weight.detach()).requires_grad_()
    loss(embeddings, torch.arange(NUM_CLASSES)).backward()
    assert embeddings.grad.isfinite().all()
    assert loss.weight.grad.isfinite().all()
