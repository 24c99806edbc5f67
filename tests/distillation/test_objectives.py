import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.distillation import class_posteriors, objectives, regression
from asdkit.distillation.class_posteriors import (
    DecoupledKd,
    IvectorClasses,
    Kl,
    KlCosine,
)
from asdkit.distillation.objectives import Relational
from asdkit.distillation.regression import (
    Cosine,
    Mse,
    PooledMse,
    PosteriorPrecision,
    SpeakerMean,
)
from asdkit.losses import distillation as losses
from asdkit.losses.registry import LOSSES, METRIC

BY_VECTORS = (Mse, PosteriorPrecision, Cosine, Relational, PooledMse)
BY_SPEAKERS = (SpeakerMean, IvectorClasses)
BY_LOGITS = (Kl, DecoupledKd, KlCosine)
TERMS = {
    Mse: {"mse"},
    PosteriorPrecision: {"precision"},
    Cosine: {"cosine"},
    Relational: {"distances", "angles"},
    PooledMse: {"mse"},
    SpeakerMean: {"mse"},
    IvectorClasses: {"tskd", "nskd"},
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


@pytest.mark.parametrize("loss", [x for x in LOSSES if x != "oc_softmax"])
@pytest.mark.parametrize("kind", BY_SPEAKERS)
def test_so_do_objectives_of_labeled_vectors(
    kind, loss, make_loss, student, vectors, speakers, batch
):
    if kind is IvectorClasses and loss in METRIC:
        with pytest.raises(AsdkitError, match="taught to classifiers"):
            kind(make_loss(loss), student, vectors, speakers)
        return
    objective = kind(make_loss(loss), student, vectors, speakers)
    terms = objective(student, batch)
    assert terms.keys() == {"loss"} | TERMS[kind]
    sum(terms.values()).backward()
    assert all(x.grad.isfinite().all() for x in student.parameters())


@pytest.mark.parametrize("kind", BY_SPEAKERS)
def test_labeled_vectors_are_no_network(
    kind, make_loss, student, make_network_teacher, speakers
):
    with pytest.raises(AsdkitError, match="no vectors of whole utterances"):
        kind(make_loss(), student, make_network_teacher(), speakers)


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


def test_the_weight_falls_linearly_at_the_end(make_loss, student, vectors):
    objective = Mse(
        make_loss(),
        student,
        vectors,
        distill_weight=2.0,
        distill_warmup=0.1,
        distill_cooldown=0.4,
    )
    found = [objective.schedule(step, 100)["distill"] for step in (4, 9, 60, 80, 99)]
    assert found == pytest.approx([1, 2, 2, 1, 0.05])


def slope(term, x):
    return torch.autograd.grad(term, x, retain_graph=True)[0].norm()


@pytest.mark.parametrize("kind", [Mse, Relational, PooledMse])
def test_a_gradient_ratio_holds_whatever_the_scale_of_the_terms(
    kind, make_loss, student, vectors, batch
):
    objective = kind(
        make_loss(), student, vectors, gradient_ratio=0.3, distill_weight=0.5
    )
    x = student(batch.feats)
    layer = x
    if kind is PooledMse:
        layer = student.pool(student.norm(batch.feats.mT), None)
        x = student.linear(layer)
    terms = objective.compare(x, layer, batch)
    taught = sum(term for name, term in terms.items() if name != "loss")
    ratio = slope(taught, layer) / slope(terms["loss"], layer)
    assert ratio.item() == pytest.approx(0.15, rel=1e-4)
    plain = kind(objective.loss, student, vectors)
    plain.load_state_dict(objective.state_dict())
    expected = plain.compare(x, layer, batch)
    shares = [terms[name] / expected[name] for name in TERMS[kind]]
    torch.testing.assert_close(torch.stack(shares), shares[0].expand(len(shares)))


def test_the_weight_is_that_of_the_terms(make_loss, student, vectors, batch):
    objective = Mse(make_loss(), student, vectors)
    one = objective(student, batch)
    objective.weight = 0.25
    quarter = objective(student, batch)
    torch.testing.assert_close(quarter["mse"], one["mse"] / 4)
    torch.testing.assert_close(quarter["loss"], one["loss"])


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
    rooms = (objectives, regression, class_posteriors)
    found = {x for room in rooms for x in vars(room).values() if isinstance(x, type)}
    mine = {x for x in found if issubclass(x, objectives.Distillation)}
    assert mine == {
        objectives.Distillation,
        *BY_VECTORS,
        *BY_LOGITS,
        *BY_SPEAKERS,
    }
