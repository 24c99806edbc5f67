"""The back-end's checks agree with Kaldi, and see a number of Kaldi's that changed."""

import dataclasses

import numpy as np
import pytest

from asdkit.backends.plda import Plda
from asdkit.io.kaldi import read_plda, read_vector, write_object
from asdkit.kaldi.parity.backend import (
    _covariances,
    check_adaptation,
    check_lda,
    check_mean,
    check_plda,
    check_scores,
)
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError


@pytest.mark.parametrize("check", [check_mean, check_lda, check_plda, check_adaptation])
def test_what_kaldi_trained_is_what_we_train(few, agree, check):
    assert all(agree(check(few)))


@pytest.mark.parametrize("of", ["plda_scores", "adapted_scores", "cosine_scores"])
def test_scores_and_error_rates_are_kaldis(few, agree, of):
    findings = list(check_scores(few, of))
    assert all(agree(findings))
    assert len(findings) == (4 if of == "plda_scores" else 2)  # of several utterances
    assert all("EER = " in finding.what for finding in findings[1::2])


def test_other_scales_than_kaldi_adapted_with_are_seen(few, agree):
    other = dataclasses.replace(few, between_covar_scale=0.5, within_covar_scale=0.5)
    assert not all(agree(check_adaptation(other)))


def test_a_mean_that_is_off_by_a_part_in_ten_thousand_is_seen(copied, agree):
    path = copied / "backend" / "mean.vec"
    mean = read_vector(path)
    mean[np.abs(mean).argmax()] *= 1.0001
    write_object(path, mean)
    assert agree(check_mean(Experiment(copied))) == [False]


def test_training_vectors_without_speakers_are_not_found(copied):
    (copied / "data" / "train" / "utt2spk").write_text("somebody spk\n")
    with pytest.raises(NotFoundError, match="speakers of the training i-vectors"):
        list(check_plda(Experiment(copied)))


def test_covariances_do_not_depend_on_signs_of_axes(golden, rng):
    """Drawn with A W A' = I and A B A' = diag(psi), whichever way the axes point."""
    file = read_plda(golden / "backend" / "plda")
    plda = Plda()
    plda.transform_, plda.psi_ = np.asarray(file.transform, float), np.asarray(file.psi)
    within, between = _covariances(plda)
    a = plda.transform_
    np.testing.assert_allclose(a @ within @ a.T, np.eye(len(a)), atol=1e-6)
    np.testing.assert_allclose(a @ between @ a.T, np.diag(plda.psi_), atol=1e-4)
    plda.transform_ = a * np.where(rng.random(len(a)) < 0.5, -1, 1)[:, None]
    for ours, theirs in zip(_covariances(plda), (within, between), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9 * np.abs(theirs).max())


@pytest.mark.parametrize("check", [check_lda, check_plda])
def test_training_is_checked_where_the_mean_is_of_other_data(copied, agree, check):
    """As in sre16, whose mean.vec is that of unlabeled calls, in their directory."""
    (copied / "backend" / "mean.vec").unlink()
    assert all(agree(check(Experiment(copied))))
