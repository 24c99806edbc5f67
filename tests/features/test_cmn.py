import numpy as np
import pytest

from asdkit.features.cmn import sliding_cmn
from asdkit.io.ark import read_arrays


def define(feats, cmn_window, min_cmn_window, center, norm_vars):
    """Kaldi's SlidingWindowCmnInternal, frame by frame."""
    feats = feats.astype(float)
    normalized = np.zeros_like(feats)
    num_frames = len(feats)
    for t in range(num_frames):
        if center:
            start = t - cmn_window // 2
            end = start + cmn_window
        else:
            start, end = t - cmn_window, t + 1
        if start < 0:
            end -= start
            start = 0
        if not center and end > t:
            end = max(t + 1, min_cmn_window)
        if end > num_frames:
            start -= end - num_frames
            end = num_frames
            start = max(start, 0)
        window = feats[start:end]
        normalized[t] = feats[t] - window.mean(axis=0)
        if norm_vars:
            if len(window) == 1:
                normalized[t] = 0
            else:
                normalized[t] /= np.sqrt(np.maximum(window.var(axis=0), 1e-10))
    return normalized


@pytest.mark.parametrize(("name", "window"), [("cmn", 300), ("cmn50", 50)])
def test_sliding_cmn_agrees_with_kaldi(golden, name, window):
    deltas = dict(read_arrays(f"ark:{golden}/feats/deltas_head3.ark"))
    found = 0
    for utt, kaldi in read_arrays(f"ark:{golden}/feats/deltas_{name}_head3.ark"):
        feats = sliding_cmn(deltas[utt], window, min_cmn_window=50, center=True)
        np.testing.assert_allclose(feats, kaldi, atol=1e-4)
        found += 1
    assert found == 3


@pytest.mark.parametrize("norm_vars", [False, True])
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("num_frames", [1, 2, 9, 10, 11, 60])
@pytest.mark.parametrize(("window", "least"), [(10, 4), (10, 10), (7, 20), (200, 30)])
def test_windows_lie_where_kaldi_puts_them(
    rng, num_frames, window, least, center, norm_vars
):
    feats = (10 + rng.standard_normal((num_frames, 3))).astype(np.float32)
    ours = sliding_cmn(feats, window, least, center, norm_vars)
    assert ours.dtype == np.float32
    expected = define(feats, window, least, center, norm_vars)
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_a_long_recording_loses_no_precision():
    """Running sums of a million frames far from zero."""
    feats = np.full((1_000_000, 1), 100.25, np.float32)
    assert np.abs(sliding_cmn(feats, 300, center=True)).max() < 1e-5


def test_no_frames_stay_no_frames():
    assert sliding_cmn(np.zeros((0, 4), np.float32)).shape == (0, 4)
