"""Whitening by the posterior covariance of an average utterance."""

import numpy as np
import pytest

from asdkit.backends.posterior_whitening import PosteriorWhitening
from asdkit.base.errors import FitError


@pytest.fixture
def precision():
    half = np.random.default_rng(0).normal(size=(9, 4))
    return np.eye(4) + half.T @ half


def test_the_whole_of_it_makes_the_posterior_covariance_isotropic(precision):
    transform = PosteriorWhitening(1.0).know(precision).transform_
    covariance = transform @ np.linalg.inv(precision) @ transform.T
    expected = np.eye(4) / np.trace(precision) * 4
    np.testing.assert_allclose(covariance, expected, atol=1e-9)


def test_a_half_twice_is_the_whole_but_for_its_scale(precision):
    half, whole = (PosteriorWhitening(x).know(precision).transform_ for x in (0.5, 1.0))
    twice = half @ half
    np.testing.assert_allclose(twice / np.trace(twice), whole / np.trace(whole))
    np.testing.assert_allclose((half**2).sum(), 4)  # the power of white vectors


def test_none_of_it_changes_nothing(precision):
    x = np.random.default_rng(1).normal(size=(3, 4))
    step = PosteriorWhitening(0.0).know(precision).fit(x)
    np.testing.assert_allclose(step.transform(x), x, atol=1e-12)


def test_without_the_extractor_or_with_another_one_it_refuses(precision):
    x = np.zeros((3, 5))
    with pytest.raises(FitError, match="is not known") as refused:
        PosteriorWhitening().fit(x)
    assert "--extractor" in refused.value.hint
    with pytest.raises(FitError, match="dimension 4, got 5"):
        PosteriorWhitening().know(precision).fit(x)
