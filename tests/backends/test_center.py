import numpy as np

from asdkit.backends.center import Center


def test_every_utterance_counts_once(rng):
    x = rng.normal(3, 1, size=(7, 4))
    center = Center().fit(x)
    np.testing.assert_allclose(center.mean_, sum(x) / 7, rtol=1e-14)
    np.testing.assert_allclose(center.transform(x).sum(axis=0), 0, atol=1e-13)
    assert center.input_dim == 4


def test_golden_mean(kaldi):
    center = Center().fit(kaldi.train, kaldi.spk)
    np.testing.assert_allclose(center.mean_, kaldi.mean, rtol=1e-6, atol=1e-7)
