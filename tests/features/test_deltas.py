import numpy as np
import pytest

from asdkit.features.deltas import add_deltas
from asdkit.io.ark import read_arrays


def define(feats, window, order):
    """Kaldi's DeltaFeatures: one filter per order, frames clamped at the ends."""
    parts = []
    for i in range(order + 1):
        weights = {0: 1.0}
        for _ in range(i):
            scaled = {}
            for j in range(-window, window + 1):
                for k, weight in weights.items():
                    scaled[j + k] = scaled.get(j + k, 0) + j * weight
            norm = sum(j * j for j in range(-window, window + 1))
            weights = {k: weight / norm for k, weight in scaled.items()}
        part = np.zeros(feats.shape)
        for t in range(len(feats)):
            for k, weight in weights.items():
                part[t] += weight * feats[np.clip(t + k, 0, len(feats) - 1)]
        parts.append(part)
    return np.hstack(parts)


def test_deltas_agree_with_kaldi(golden):
    mfcc = dict(read_arrays(f"ark:{golden}/feats/mfcc_test.ark"))
    found = 0
    for utt, kaldi in read_arrays(f"ark:{golden}/feats/deltas_head3.ark"):
        np.testing.assert_allclose(add_deltas(mfcc[utt]), kaldi, atol=1e-4)
        found += 1
    assert found == 3


@pytest.mark.parametrize("num_frames", [1, 2, 5, 40])
@pytest.mark.parametrize(("window", "order"), [(2, 2), (3, 2), (1, 1), (2, 3)])
def test_deltas_are_what_the_definition_says(rng, num_frames, window, order):
    feats = rng.standard_normal((num_frames, 3)).astype(np.float32)
    deltas = add_deltas(feats, window, order)
    assert deltas.dtype == np.float32
    np.testing.assert_allclose(deltas, define(feats, window, order), atol=1e-6)


def test_a_slope_has_that_derivative():
    feats = 3 * np.arange(20, dtype=np.float32)[:, None] + 7
    deltas = add_deltas(feats, delta_window=3)[6:-6]
    np.testing.assert_allclose(deltas[:, 1:], [[3, 0]] * 8, atol=1e-6)


def test_order_zero_changes_nothing(rng):
    feats = rng.standard_normal((9, 3)).astype(np.float32)
    np.testing.assert_array_equal(add_deltas(feats, delta_order=0), feats)


def test_no_frames_stay_no_frames():
    assert add_deltas(np.zeros((0, 4), np.float32)).shape == (0, 12)
