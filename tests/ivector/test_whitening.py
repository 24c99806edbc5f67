"""Whitening by the posterior covariance of an average utterance."""

import numpy as np
import pytest

from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.whitening import whitening


@pytest.fixture
def extractor(draw):
    data = draw()
    options = {"ivector_dim": 4, "num_iters": 2, "precision": "float64"}
    return IvectorExtractor(**options).fit(data.ubm, data.batches, data.totals)


def precision_of(extractor, num_frames):
    """L = I + sum_i n_i M_i' S_i^-1 M_i, one Gaussian after another."""
    total = np.eye(extractor.m_.shape[2])
    parts = zip(extractor.weights_, extractor.m_, extractor.covars_, strict=True)
    for weight, m, covars in parts:
        total += num_frames * weight * m.T @ np.linalg.inv(covars) @ m
    return total


@pytest.mark.parametrize("num_frames", [1, 300])
def test_the_whole_of_it_makes_the_posterior_covariance_isotropic(
    extractor, num_frames
):
    transform = whitening(extractor, 1.0, num_frames)
    precision = precision_of(extractor, num_frames)
    covariance = transform @ np.linalg.inv(precision) @ transform.T
    expected = np.eye(4) / np.trace(precision) * 4
    np.testing.assert_allclose(covariance, expected, atol=1e-9)


def test_a_half_twice_is_the_whole_but_for_its_scale(extractor):
    half, whole = whitening(extractor, 0.5), whitening(extractor, 1.0)
    twice = half @ half
    np.testing.assert_allclose(twice / np.trace(twice), whole / np.trace(whole))
    np.testing.assert_allclose((half**2).sum(), 4)  # the power of white vectors


def test_none_of_it_changes_nothing(extractor):
    np.testing.assert_allclose(whitening(extractor), np.eye(4), atol=1e-12)
