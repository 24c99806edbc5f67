"""Linear prediction against its normal equations; the vocoder against its input."""

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from asdkit.simulation.lpc import analyze_lpc, excite, levinson, lpc_vocode
from asdkit.simulation.pitch import track_pitch

FS = 16000


def test_levinson_solves_the_normal_equations(rng):
    x = rng.standard_normal((5, 400))
    r = np.stack([[row[: 400 - k] @ row[k:] for k in range(13)] for row in x])
    a, error = levinson(r)
    for row, coefficients, energy in zip(r, a, error, strict=True):
        expected = solve_toeplitz(row[:-1], -row[1:])
        np.testing.assert_allclose(coefficients, [1, *expected], atol=1e-10)
        assert energy == pytest.approx(row @ coefficients)


def test_the_filter_that_made_a_signal_is_found(rng):
    """Two resonances, at 1 and at 3 kHz, and an error of known level."""
    poles = [0.95 * np.exp(1j * np.pi / 8), 0.9 * np.exp(3j * np.pi / 8)]
    true = np.real(np.poly([*poles, *np.conj(poles)]))
    x = lfilter([1], true, 0.3 * rng.standard_normal(4 * FS))
    a, level = analyze_lpc(x, FS, 160, 4)
    np.testing.assert_allclose(a[5:-5].mean(axis=0), true, atol=0.05)
    assert level[5:-5].mean() == pytest.approx(0.3, rel=0.05)


def test_silence_can_be_predicted():
    a, level = analyze_lpc(np.zeros(FS), FS, 160, 20)
    assert np.isfinite(a).all()
    assert level.max() < 1e-4


def test_pulses_come_with_the_pitch_and_have_the_power_of_noise(rng):
    f0 = np.full(101, 125.0)
    voice = excite(f0, FS, 160, FS, rng)
    assert voice.std() == pytest.approx(1, rel=0.05)
    np.testing.assert_allclose(track_pitch(voice, FS, 160)[5:-5], 125, rtol=0.01)
    noise = excite(np.zeros(101), FS, 160, FS, rng)
    assert noise.std() == pytest.approx(1, rel=0.05)
    assert not track_pitch(noise, FS, 160)[5:-5].any()


@pytest.mark.parametrize("fs", [8000, 16000])
def test_a_copy_has_length_pitch_and_spectrum_of_the_original(spoken, fs, rng):
    samples = spoken[:: FS // fs].copy()
    copy = lpc_vocode(samples, fs, rng)
    assert copy.shape == samples.shape
    assert copy.dtype == np.float32
    hop = fs // 100
    before, after = (track_pitch(x, fs, hop) for x in (samples, copy))
    both = (before > 0) & (after > 0)
    assert both.sum() > 0.8 * (before > 0).sum() > 20
    assert np.median(np.abs(12 * np.log2(before[both] / after[both]))) < 0.2
    bands = [
        np.abs(np.fft.rfft(x)[: fs // 2].reshape(20, -1)) ** 2 for x in (samples, copy)
    ]
    before, after = (10 * np.log10(x.sum(axis=1)) for x in bands)
    assert np.abs(before - after)[1:].mean() < 5
    assert not np.allclose(copy, samples, atol=0.1 * samples.std())


def test_the_generator_decides(spoken):
    first, again, other = (
        lpc_vocode(spoken, FS, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
