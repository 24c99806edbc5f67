"""The posterior precision of an average utterance."""

import numpy as np
import pytest

from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.posterior_precision import average_posterior_precision


@pytest.mark.parametrize("num_frames", [1, 300])
def test_it_is_that_of_the_formula_one_gaussian_after_another(draw, num_frames):
    """L = I + sum_i n_i M_i' S_i^-1 M_i."""
    data = draw()
    options = {"ivector_dim": 4, "num_iters": 2, "precision": "float64"}
    extractor = IvectorExtractor(**options).fit(data.ubm, data.batches, data.totals)
    expected = np.eye(4)
    parts = zip(extractor.weights_, extractor.m_, extractor.covars_, strict=True)
    for weight, m, covars in parts:
        expected += num_frames * weight * m.T @ np.linalg.inv(covars) @ m
    np.testing.assert_allclose(
        average_posterior_precision(extractor, num_frames), expected
    )
