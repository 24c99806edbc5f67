import numpy as np

from asdkit.backends.length_norm import LengthNorm, unit


def test_direction_stays_and_length_is_sqrt_dim(rng):
    x = rng.normal(size=(10, 9))
    normalized = LengthNorm().fit(x).transform(x)
    np.testing.assert_allclose(np.linalg.norm(normalized, axis=1), 3, rtol=1e-14)
    np.testing.assert_allclose(unit(normalized), unit(x), rtol=1e-14)


def test_scale_does_not_matter(rng):
    x = rng.normal(size=(10, 9))
    normalized = LengthNorm().transform(x)
    np.testing.assert_allclose(LengthNorm().transform(1e-20 * x), normalized)
