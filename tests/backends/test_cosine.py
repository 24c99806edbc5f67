import numpy as np
from scipy.spatial.distance import cosine

from asdkit.backends.cosine import Cosine, Dot


def test_cosine_is_its_definition(rng):
    enroll, test = rng.normal(size=(3, 8)), rng.normal(size=(5, 8))
    scores = Cosine().fit(enroll).score(enroll, np.ones(3), test)
    expected = [[1 - cosine(e, t) for t in test] for e in enroll]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_dot_is_its_definition(rng):
    enroll, test = rng.normal(size=(3, 8)), rng.normal(size=(5, 8))
    scores = Dot().fit(enroll).score(enroll, np.ones(3), test)
    expected = [[sum(e * t) for t in test] for e in enroll]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_a_vector_of_zeros_is_like_no_other(rng):
    scores = Cosine().score(np.zeros((1, 8)), np.ones(1), rng.normal(size=(2, 8)))
    assert scores.tolist() == [[0, 0]]
