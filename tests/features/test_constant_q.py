"""The constant-Q transform against its definition in time, written out."""

import numpy as np
import pytest
from scipy.fft import dct
from scipy.interpolate import CubicSpline

from asdkit.base.errors import AsdkitError
from asdkit.features import constant_q
from asdkit.features.constant_q import Cqcc


@pytest.fixture
def samples(rng):
    """Noise that starts and ends suddenly, loud at low frequencies."""
    white = rng.standard_normal(20_000)
    return (0.1 * np.convolve(white, 0.9 ** np.arange(50), "same")).astype(np.float32)


def define_transform(cqcc, samples, center):
    """One sum over the whole recording for every frame; silence surrounds it.

    What filters with a Hann window of width b in frequency is, in time, a sum of
    three sinc functions.
    """
    rate, shift = cqcc.sample_frequency, cqcc.window_shift
    b = 2 ** (1 / cqcc.bins_per_octave) - 2 ** (-1 / cqcc.bins_per_octave)
    b *= center + cqcc.bandwidth_offset
    magnitudes = []
    for t in range(len(samples) // shift):
        seconds = (shift * t + shift // 2 - np.arange(len(samples))) / rate
        u = b * seconds
        envelope = np.sinc(u) + (np.sinc(u - 1) + np.sinc(u + 1)) / 2
        response = b * envelope * np.exp(2j * np.pi * center * seconds) / rate
        magnitudes.append(abs(np.sum(samples * response)))
    return np.array(magnitudes)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bins_per_octave": 24, "high_freq": 4000.0},
        {"bandwidth_offset": 0.0, "high_freq": 6000.0},
        {"sample_frequency": 8000.0, "frame_shift": 15.0},
    ],
)
def test_bands_are_what_their_impulse_responses_make_of_the_recording(options, samples):
    cqcc = Cqcc(**options)
    num_frames = len(samples) // cqcc.window_shift
    ((_, block),) = cqcc._blocks(constant_q.to_samples(samples), num_frames)
    found = cqcc._transform(block).numpy()[:, :num_frames]
    for k in (0, len(found) // 2, len(found) - 1):
        expected = define_transform(cqcc, samples, cqcc.frequencies[k])
        error = abs(found[k] - expected).max()
        assert error < 1e-3 * expected.mean()


def test_a_sine_has_its_amplitude_in_its_own_band():
    cqcc = Cqcc()
    k = 50
    t = np.arange(16000) / 16000
    sine = 0.3 * np.sin(2 * np.pi * cqcc.frequencies[k] * t).astype(np.float32)
    ((_, block),) = cqcc._blocks(constant_q.to_samples(sine), 100)
    found = cqcc._transform(block).numpy()[:, 20:80]
    np.testing.assert_allclose(found[k], 0.3, rtol=1e-3)
    assert found[[k - 12, k + 12]].max() < 0.003


def test_cepstra_are_a_cosine_transform_of_a_spline_on_a_linear_scale(samples):
    cqcc = Cqcc(num_ceps=5)
    num_frames = len(samples) // 160
    ((_, block),) = cqcc._blocks(constant_q.to_samples(samples), num_frames)
    power = cqcc._transform(block).numpy().astype(float)[:, :num_frames] ** 2
    low, high = cqcc.frequencies[[0, -1]]
    even = np.arange(low, high, low / 16)
    resampled = CubicSpline(cqcc.frequencies, np.log(power + 2.0**-52))(even)
    expected = dct(resampled, type=2, norm="ortho", axis=0)[:5].T
    feats = cqcc(samples)
    assert feats.shape == (125, 5)
    np.testing.assert_allclose(feats, expected, rtol=1e-4, atol=1e-2)


def test_bands_reach_from_a_low_octave_to_the_highest_that_fits():
    """The lowest center is 2^-n of the highest and above 10 Hz; none is cut off."""
    frequencies = Cqcc(high_freq=4000.0).frequencies
    assert frequencies[[0, -1]] == pytest.approx([15.625, 4000])
    np.testing.assert_allclose(frequencies[12:], 2 * frequencies[:-12])
    top = Cqcc().frequencies[-1]
    width = (2 ** (1 / 12) - 2 ** (-1 / 12)) * (top * 2 ** (1 / 12) + 228.7)
    assert top < 8000 < top * 2 ** (1 / 12) + width / 2


def test_blocks_make_no_difference(samples, monkeypatch):
    whole = Cqcc()(samples)
    monkeypatch.setattr(constant_q, "BLOCK_SEC", 0.3)
    pieces = Cqcc()(samples)
    assert pieces.shape == whole.shape
    assert abs(pieces - whole).max() < 0.01 * whole.std()


def test_a_frame_needs_samples_of_its_own(samples):
    assert Cqcc()(samples[:159]).shape == (0, 20)
    assert Cqcc()(samples[:160]).shape == (1, 20)
    assert [len(x) for x in Cqcc().batch([samples[:479], samples[:0]])] == [2, 0]


def test_silence_is_the_floor():
    feats = Cqcc()(np.zeros(1600, np.float32))
    assert np.isfinite(feats).all()
    np.testing.assert_allclose(feats[:, 1:], 0, atol=0.05)


@pytest.mark.parametrize(
    ("cqcc", "message"),
    [
        (Cqcc(high_freq=9000.0), "--high-freq 9000.0: expected"),
        (Cqcc(frame_shift=0.01), "--frame-shift 0.01: expected a sample or more"),
        (Cqcc(num_ceps=10_000), "--num-ceps 10000: expected 1 to"),
    ],
)
def test_options_that_cannot_be_are_named(cqcc, message):
    with pytest.raises(AsdkitError, match=message):
        cqcc(np.zeros(16_000, np.float32))
