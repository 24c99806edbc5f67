import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.distillation.teachers import VectorTeacher


def test_vectors_are_found_by_utterance(batch, rng):
    x, p = rng.normal(size=(7, 6)), np.exp(rng.normal(size=(7, 6)))
    teacher = VectorTeacher(list("zfedcba"), x, p)
    assert teacher.dim == 6
    rows = [6, 5, 4, 3, 2, 1]
    np.testing.assert_array_equal(teacher.embed(batch), x[rows].astype(np.float32))
    np.testing.assert_array_equal(
        teacher.posterior_precision(batch), p[rows].astype(np.float32)
    )
    assert teacher.mean_posterior_precision == pytest.approx(p.mean())


def test_vectors_without_precisions_say_so(batch):
    teacher = VectorTeacher(list("abcdef"), np.zeros((6, 2)))
    with pytest.raises(AsdkitError, match="have no posterior precisions") as error:
        teacher.posterior_precision(batch)
    assert "--teacher-precision" in error.value.hint


def test_a_network_is_frozen_and_ignores_the_batch_it_is_in(
    make_network_teacher, batch
):
    """In training mode batch normalization would make an utterance depend on others."""
    teacher = make_network_teacher()
    teacher._network.norm.running_mean.normal_()
    before = {k: x.clone() for k, x in teacher._network.state_dict().items()}
    whole = teacher.embed(batch)
    assert not whole.requires_grad
    one = batch._replace(feats=batch.feats[:1], num_frames=batch.num_frames[:1])
    torch.testing.assert_close(teacher.embed(one), whole[:1])
    for name, value in teacher._network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_network_with_a_front_end_of_its_own_hears_that(make_network_teacher, batch):
    teacher = make_network_teacher(feat_dim=2)
    other = torch.randn(6, 30, 2)
    expected = teacher._network(other)
    torch.testing.assert_close(
        teacher.embed(batch._replace(teacher_feats=other)), expected
    )


@pytest.mark.parametrize("with_margin", [True, False])
def test_classes_are_matched_by_name(make_network_teacher, batch, with_margin):
    teacher = make_network_teacher()
    embeddings = teacher.embed(batch)
    names = ["anne", "bob", "cleo", "anne", "bob", "cleo"]
    theirs = torch.tensor([["dan", "cleo", "anne", "bob"].index(x) for x in names])
    labels = batch.labels if with_margin else None
    expected = teacher._loss.logits(embeddings, theirs if with_margin else None)
    found = teacher.logits(embeddings, labels)
    assert found.shape == (6, 3)
    for ours, place in enumerate((2, 3, 1)):
        torch.testing.assert_close(found[:, ours], expected[:, place])


def test_a_class_that_the_teacher_lacks_is_named(make_network_teacher):
    teacher = make_network_teacher(theirs=["anne", "cleo"])
    with pytest.raises(AsdkitError, match=r"1 of 3 classes .* of the teacher: bob"):
        teacher.match_classes()


def test_a_metric_loss_has_no_logits(make_network_teacher):
    teacher = make_network_teacher("ge2e")
    with pytest.raises(AsdkitError, match="trained with ge2e: no logits"):
        teacher.match_classes()


def test_a_new_classifier_is_of_the_teacher_s_kind(make_network_teacher):
    classifier = make_network_teacher("am_softmax").new_classifier(5)
    assert type(classifier).__name__ == "AmSoftmax"
    assert classifier.weight.shape == (3, 5)
    assert classifier.weight.requires_grad
