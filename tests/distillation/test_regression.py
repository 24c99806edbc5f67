import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.distillation.regression import (
    Mse,
    PooledMse,
    PosteriorPrecision,
    SpeakerMean,
)
from asdkit.losses import distillation as losses
from asdkit.nnet.network import Network


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
    with pytest.raises(AsdkitError, match="network teacher has no posterior"):
        PosteriorPrecision(make_loss(), student, make_network_teacher())
    vectors._posterior_precision = None
    with pytest.raises(AsdkitError, match="vectors have no posterior precisions"):
        PosteriorPrecision(make_loss(), student, vectors)


def test_a_projection_may_have_a_layer_with_batch_normalization(
    make_loss, student, vectors, batch
):
    objective = Mse(make_loss(), student, vectors, projection="mlp")
    linear, norm, relu, last = objective.project
    x = student(batch.feats)
    hidden = relu(norm(linear(x)))
    found = objective.terms(x, batch)["mse"]
    expected = losses.squared_error(last(hidden), vectors.embed(batch))
    torch.testing.assert_close(found, expected)


def test_the_speakers_mean_is_what_is_predicted(
    make_loss, student, vectors, speakers, batch
):
    objective = SpeakerMean(make_loss(), student, vectors, speakers)
    x = student(batch.feats)
    taught = vectors.embed(batch)
    means = torch.stack([taught[[k, k + 3]].mean(dim=0) for k in (0, 1, 2)] * 2)
    expected = losses.squared_error(objective.project(x), means)
    torch.testing.assert_close(objective.terms(x, batch)["mse"], expected)


def test_the_pooled_layer_predicts_and_the_embedding_classifies(
    make_loss, student, vectors, batch
):
    objective = PooledMse(make_loss(), student, vectors, projection="linear")
    student.eval()
    terms = objective(student, batch)
    pooled = student.norm(batch.feats.mT).mean(dim=2)
    assert objective.project.in_features == 4
    expected = losses.squared_error(objective.project(pooled), vectors.embed(batch))
    torch.testing.assert_close(terms["mse"], expected)
    assert torch.autograd.grad(
        terms["mse"], student.linear.weight, allow_unused=True
    ) == (None,)
    loss = objective.loss(student(batch.feats), batch.labels)
    torch.testing.assert_close(terms["loss"], loss)
    assert not student.pool._forward_hooks


def test_a_network_that_does_not_pool_is_named(make_loss, vectors):
    class Flat(Network):
        pass

    with pytest.raises(AsdkitError, match="Flat has no pooled layer"):
        PooledMse(make_loss(), Flat(4, 5), vectors)
