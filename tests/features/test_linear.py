"""LFCC and log spectra against their definitions, written out."""

import numpy as np
import pytest
from scipy.fft import dct
from scipy.signal.windows import blackman

from asdkit.base.errors import AsdkitError
from asdkit.features.linear import Lfcc, LogSpectrum

LFCC_2021 = {
    "frame_length": 30.0,
    "frame_shift": 15.0,
    "fft_size": 1024,
    "num_filters": 70,
    "high_freq": 4000.0,
}


@pytest.fixture
def samples(rng):
    """A second that is loud at low frequencies."""
    white = rng.standard_normal(16000)
    return (0.1 * np.convolve(white, 0.9 ** np.arange(50), "same")).astype(np.float32)


def triangle(at, left, center, right):
    rising, falling = (at - left) / (center - left), (right - at) / (right - center)
    return np.maximum(0, np.minimum(rising, falling))


def define_lfcc(samples, size, hop, fft_size, num_filters, high, num_ceps):
    """The baselines' extract_lfcc, whose frames are buffer(x, size, hop, 'nodelay')."""
    x = samples.astype(float)
    x[1:] -= 0.97 * samples[:-1]
    num_frames = int(np.ceil((len(x) - (size - hop)) / hop))
    x = np.append(x, np.zeros(size))
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    frames = np.stack([x[hop * t : hop * t + size] * window for t in range(num_frames)])
    power = np.abs(np.fft.rfft(frames, fft_size)) ** 2
    at = 8000 * np.linspace(0, 1, fft_size // 2 + 1)
    edges = np.linspace(0, high, num_filters + 2)
    banks = [triangle(at, *edges[i : i + 3]) for i in range(num_filters)]
    log = np.log10(power @ np.stack(banks, axis=1) + 2.2204e-16)
    return dct(log, type=2, norm="ortho", axis=1)[:, :num_ceps]


@pytest.mark.parametrize("num_samples", [16000, 15999, 15841, 320, 200, 161])
def test_lfcc_is_the_baseline_of_2019(samples, num_samples):
    samples = samples[:num_samples]
    expected = define_lfcc(samples, 320, 160, 512, 20, 8000, 20)
    feats = Lfcc()(samples)
    assert feats.shape == expected.shape
    np.testing.assert_allclose(feats, expected, atol=1e-3)


def test_lfcc_is_the_baseline_of_2021(samples):
    expected = define_lfcc(samples, 480, 240, 1024, 70, 4000, 20)
    feats = Lfcc(**LFCC_2021)(samples)
    assert feats.shape == expected.shape
    np.testing.assert_allclose(feats, expected, atol=1e-3)


def test_lfcc_may_begin_with_the_energy(samples):
    feats, plain = Lfcc(use_energy=True)(samples), Lfcc()(samples)
    np.testing.assert_array_equal(feats[:, 1:], plain[:, 1:])
    louder = Lfcc(use_energy=True)(2 * samples)
    np.testing.assert_allclose(louder[:, 0] - feats[:, 0], np.log10(4), atol=1e-4)


def test_silence_is_the_floor():
    feats = Lfcc()(np.zeros(1600, np.float32))
    np.testing.assert_allclose(feats[:, 0], np.sqrt(20) * np.log10(2.0**-52), rtol=1e-5)
    spectrum = LogSpectrum()(np.zeros(1600, np.float32))
    np.testing.assert_allclose(spectrum, -80, rtol=1e-6)


def define_spectrum(samples, mode):
    """librosa.stft(n_fft=1728, hop_length=130, window=blackman), scipy's; centered."""
    x = samples.astype(float)
    x[1:] -= 0.97 * samples[:-1]
    x = np.pad(x, 864, mode=mode)
    window = blackman(1728)  # symmetric, as librosa calls it
    num_frames = 1 + len(samples) // 130
    frames = [x[130 * t : 130 * t + 1728] * window for t in range(num_frames)]
    return np.log(np.abs(np.fft.rfft(frames)) + np.exp(-80))


@pytest.mark.parametrize(
    ("padding", "mode"), [("zeros", "constant"), ("reflect", "reflect")]
)
def test_log_spectrum_is_the_f0_subband(samples, padding, mode):
    expected = define_spectrum(samples, mode)
    feats = LogSpectrum(padding=padding)(samples)
    assert feats.shape == (124, 45)
    np.testing.assert_allclose(feats, expected[:, :45], atol=2e-3)
    everything = LogSpectrum(padding=padding, num_bins=0)(samples)
    assert everything.shape == (124, 865)
    np.testing.assert_allclose(everything, expected, atol=2e-3)
    above = LogSpectrum(padding=padding, first_bin=6, num_bins=39)(samples)
    np.testing.assert_array_equal(above, feats[:, 6:])
    above = LogSpectrum(padding=padding, first_bin=6, num_bins=0)
    assert above.dim == 859
    np.testing.assert_array_equal(above(samples), everything[:, 6:])


def test_an_offset_is_in_the_lowest_bins_only(samples):
    """So --first-bin 6 is deaf to one ten times as large as speech, to a percent."""
    change = abs(LogSpectrum()(samples + 1) - LogSpectrum()(samples))[10:-10]
    assert change[:, :3].max() > 1
    assert change[:, 6:].max() < 0.01


def test_what_has_no_frame_has_no_features():
    assert LogSpectrum()(np.zeros(0, np.float32)).shape == (0, 45)
    assert LogSpectrum()(np.zeros(1, np.float32)).shape == (1, 45)
    assert LogSpectrum(padding="reflect")(np.zeros(864, np.float32)).shape == (0, 45)
    assert Lfcc()(np.zeros(160, np.float32)).shape == (0, 20)


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (Lfcc(fft_size=256), "--fft-size 256: a frame has 320 samples"),
        (Lfcc(num_ceps=21), "--num-ceps 21: expected 1 to 20"),
        (Lfcc(high_freq=9000.0), "--high-freq 9000.0: expected"),
        (Lfcc(num_filters=600), "--num-filters 600: .* fall between the 257 freq"),
        (LogSpectrum(num_bins=866), "--num-bins 866: a frame has 865"),
        (LogSpectrum(first_bin=821), "--first-bin 821 --num-bins 45: a frame has 865"),
        (LogSpectrum(first_bin=865, num_bins=0), "--first-bin 865"),
    ],
)
def test_options_that_cannot_be_are_named(samples, extractor, message):
    with pytest.raises(AsdkitError, match=message):
        extractor(samples)
