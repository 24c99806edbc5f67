import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.distillation.class_posteriors import (
    DecoupledKd,
    IvectorClasses,
    Kl,
    KlCosine,
)
from asdkit.distillation.teachers import VectorTeacher
from asdkit.losses import distillation as losses

BY_LOGITS = (Kl, DecoupledKd, KlCosine)


@pytest.mark.parametrize("kind", BY_LOGITS)
def test_logits_want_a_network(kind, make_loss, student, vectors):
    with pytest.raises(AsdkitError, match="vectors have no logits"):
        kind(make_loss(), student, vectors)


@pytest.mark.parametrize("margin", [True, False])
def test_the_margin_is_in_both_logits_or_in_neither(
    margin, make_loss, student, make_network_teacher, batch
):
    teacher = make_network_teacher()
    objective = Kl(make_loss(), student, teacher, margin_in_logits=margin)
    labels = batch.labels if margin else None
    x, taught = student(batch.feats), teacher.embed(batch)
    expected = losses.kl_divergence(
        objective.loss.logits(x, labels), teacher.logits(taught, labels)
    )
    torch.testing.assert_close(objective.terms(x, batch)["kl"], expected)


def test_gamma_weighs_the_others_only(make_loss, student, make_network_teacher, batch):
    teacher = make_network_teacher()
    x = student(batch.feats)
    terms = [
        DecoupledKd(make_loss(), student, teacher, gamma=gamma) for gamma in (1.0, 8.0)
    ]
    terms[1].loss = terms[0].loss
    one, eight = (objective.terms(x, batch) for objective in terms)
    torch.testing.assert_close(eight["nskd"], 8 * one["nskd"])
    torch.testing.assert_close(eight["tskd"], one["tskd"])


def test_kl_cosine_shares_the_weight_of_the_labels(
    make_loss, student, make_network_teacher, batch
):
    teacher = make_network_teacher()
    both = KlCosine(make_loss(), student, teacher, kl_share=0.25, cosine_weight=3.0)
    plain = Kl(both.loss, student, teacher, temperature=4.0)
    x = student(batch.feats)
    found, expected = both.terms(x, batch), plain.terms(x, batch)
    torch.testing.assert_close(found["loss"], 0.75 * expected["loss"])
    torch.testing.assert_close(found["kl"], 0.25 * expected["kl"])
    cosine = losses.cosine_distance(both.project(x), teacher.embed(batch))
    torch.testing.assert_close(found["cosine"], 3 * cosine)


def brute_force(x, labels, scale):
    """Softmax of scaled cosines with speakers' means, its own without itself."""
    found = np.zeros((len(x), 3))
    for u in range(len(labels)):
        for k in range(3):
            others = [v for v in range(len(x)) if labels[v] == k and v != u]
            mean = x[others].mean(axis=0)
            score = mean @ x[u] / np.linalg.norm(mean) / np.linalg.norm(x[u])
            found[u, k] = np.exp(scale * score)
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("per_speaker", [True, False])
def test_ivector_classes_are_softmaxed_similarities(
    per_speaker, make_loss, student, speakers, batch, rng
):
    # Speakers that overlap, or the best scale would be infinite.
    noisy = rng.normal(size=(3, 6))[[0, 1, 2] * 2] + rng.normal(size=(6, 6))
    vectors = VectorTeacher("abcdef", noisy)
    objective = IvectorClasses(
        make_loss(), student, vectors, speakers, per_speaker=per_speaker, gamma=3.0
    )
    assert 0.1 < objective.scale < 100
    labels = batch.labels.numpy()
    taught = brute_force(vectors.embed(batch).numpy(), labels, objective.scale)
    if per_speaker:
        taught = np.stack([taught[labels == k].mean(axis=0) for k in labels])
    x = student(batch.feats)
    logits = objective.loss.logits(x)
    terms = objective.terms(x, batch)
    p, q = torch.from_numpy(taught).float(), logits.softmax(dim=1)
    rows = torch.arange(6)
    own, their = q[rows, batch.labels], p[rows, batch.labels]
    target = their * (their / own).log()
    target = target + (1 - their) * ((1 - their) / (1 - own)).log()
    others = torch.zeros(6)
    for n in range(6):
        for k in range(3):
            if k != labels[n]:
                a, b = p[n, k] / (1 - their[n]), q[n, k] / (1 - own[n])
                others[n] += a * (a / b).log()
    torch.testing.assert_close(terms["tskd"], target.mean(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(terms["nskd"], 3 * others.mean(), rtol=1e-4, atol=1e-6)
