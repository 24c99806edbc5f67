import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.distillation import objectives
from asdkit.distillation.objectives import (
    Cosine,
    DecoupledKd,
    Kl,
    KlCosine,
    Mse,
    PosteriorPrecision,
    Relational,
)
from asdkit.losses import distillation as losses
from asdkit.losses.registry import LOSSES

BY_VECTORS = (Mse, PosteriorPrecision, Cosine, Relational)
BY_LOGITS = (Kl, DecoupledKd, KlCosine)
TERMS = {
    Mse: {"mse"},
    PosteriorPrecision: {"precision"},
    Cosine: {"cosine"},
    Relational: {"distances", "angles"},
    Kl: {"kl"},
    DecoupledKd: {"tskd", "nskd"},
    KlCosine: {"kl", "cosine"},
}


@pytest.mark.parametrize("loss", [x for x in LOSSES if x != "oc_softmax"])  # 2 classes
@pytest.mark.parametrize("kind", BY_VECTORS + BY_LOGITS)
def test_every_objective_goes_with_every_loss(
    kind, loss, make_loss, student, make_network_teacher, vectors, batch
):
    teacher = make_network_teacher() if kind in BY_LOGITS else vectors
    objective = kind(make_loss(loss), student, teacher)
    terms = objective(student, batch)
    assert terms.keys() == {"loss"} | TERMS[kind]
    sum(terms.values()).backward()
    for name, parameter in [*objective.named_parameters(), *student.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("kind", [Mse, Cosine, Relational, *BY_LOGITS])
def test_a_teacher_is_neither_trained_nor_kept(
    kind, make_loss, student, make_network_teacher, batch
):
    teacher = make_network_teacher()
    objective = kind(make_loss(), student, teacher)
    allowed = {"loss.weight", "project.weight", "project.bias"}
    assert objective.state_dict().keys() <= allowed
    assert {name for name, _ in objective.named_parameters()} <= allowed
    objective.train()
    sum(objective(student, batch).values()).backward()
    assert not teacher._network.training
    for frozen in (teacher._network, teacher._loss):
        assert all(x.grad is None and not x.requires_grad for x in frozen.parameters())


def test_the_weight_rises_linearly_and_stays(make_loss, student, vectors):
    objective = Mse(
        make_loss(), student, vectors, distill_weight=3.0, distill_warmup=0.2
    )
    found = [objective.schedule(step, 100)["distill"] for step in (0, 9, 19, 20, 99)]
    assert found == pytest.approx([0.15, 1.5, 3, 3, 3])
    assert objective.schedule(99, 100)["margin"] == 0.2
    at_once = Mse(make_loss(), student, vectors, distill_weight=3.0)
    assert at_once.schedule(0, 100)["distill"] == 3


def test_the_weight_is_that_of_the_terms(make_loss, student, vectors, batch):
    objective = Mse(make_loss(), student, vectors)
    one = objective(student, batch)
    objective.weight = 0.25
    quarter = objective(student, batch)
    torch.testing.assert_close(quarter["mse"], one["mse"] / 4)
    torch.testing.assert_close(quarter["loss"], one["loss"])


def test_mse_is_of_the_projected_embedding(make_loss, student, vectors, batch):
    objective = Mse(make_loss(), student, vectors)
    x = student(batch.feats)
    error = objective.project(x) - vectors.embed(batch)
    expected = error.square().sum() / (6 * 6)
    torch.testing.assert_close(objective.terms(x, batch)["mse"], expected)


def test_without_a_projection_dimensions_must_agree(make_loss, student, vectors):
    with pytest.raises(
        AsdkitError, match="have 5 dimensions, the teacher's 6"
    ) as error:
        Mse(make_loss(), student, vectors, projection="identity")
    assert error.value.hint.startswith("--embedding-dim 6")
    student.embedding_dim = 6
    objective = Mse(make_loss(), student, vectors, projection="identity")
    assert not [x for x, _ in objective.named_parameters() if x != "loss.weight"]


def test_precision_weighs_errors_in_units_of_the_mean(
    make_loss, student, vectors, batch
):
    objective = PosteriorPrecision(make_loss(), student, vectors)
    x = student(batch.feats)
    error = (objective.project(x) - vectors.embed(batch)).detach().numpy()
    p = vectors.posterior_precision(batch).numpy()
    expected = np.mean(error**2 * p) / vectors.mean_posterior_precision
    found = objective.terms(x, batch)["precision"].item()
    assert found == pytest.approx(expected, rel=1e-5)
    slack = PosteriorPrecision(make_loss(), student, vectors, slack=100.0)
    assert slack.terms(x, batch)["precision"] == 0


def test_precision_wants_precisions(make_loss, student, make_network_teacher, vectors):
    with pytest.raises(
        AsdkitError, match="a network teacher has no posterior precisions"
    ):
        PosteriorPrecision(make_loss(), student, make_network_teacher())
    vectors._posterior_precision = None
    with pytest.raises(AsdkitError, match="vectors have no posterior precisions"):
        PosteriorPrecision(make_loss(), student, vectors)


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


def test_distances_are_in_float32_whatever_the_network_runs_in(
    make_loss, student, vectors, batch
):
    objective = Mse(make_loss(), student, vectors)
    with torch.autocast("cpu", torch.bfloat16):
        x = student(batch.feats)
        terms = objective.terms(x, batch)
    assert x.dtype == torch.bfloat16
    assert terms["mse"].dtype == torch.float32
    expected = losses.squared_error(objective.project(x.float()), vectors.embed(batch))
    torch.testing.assert_close(terms["mse"], expected)


def test_every_class_here_is_tested():
    found = {x for x in vars(objectives).values() if isinstance(x, type)}
    mine = {x for x in found if issubclass(x, objectives.Distillation)}
    assert mine == {objectives.Distillation, *BY_VECTORS, *BY_LOGITS}
