import numpy as np
import pytest
import torch
from scipy.signal import get_window

from asdkit.features.framing import BLOCK, FrameFeatures, make_window, power_spectrum
from asdkit.features.mel import Fbank


def test_a_batch_is_the_recordings_one_by_one(rng):
    """Also where a recording starts or ends a block, fills several or has no frame."""
    lengths = [100, 8000, 400 + 160 * (BLOCK - 1), 399, 900 * 160, 2000 * 160, 0, 5000]
    recordings = [0.1 * rng.standard_normal(n).astype(np.float32) for n in lengths]
    fbank = Fbank(dither=0.0)
    together = fbank.batch(iter(recordings))
    assert len(together) == len(lengths)
    for recording, feats in zip(recordings, together, strict=True):
        np.testing.assert_allclose(feats, fbank(recording), atol=1e-4)
    assert [len(feats) for feats in together][:4] == [0, 48, BLOCK, 0]


def test_a_batch_of_nothing_is_nothing():
    assert Fbank().batch([]) == []


def test_samples_are_left_alone(rng):
    samples = rng.standard_normal(8000).astype(np.float32)
    before = samples.copy()
    for snip_edges in (True, False):
        Fbank(snip_edges=snip_edges)(samples)
    np.testing.assert_array_equal(samples, before)


def test_tensors_and_doubles_are_welcome(rng):
    samples = 0.1 * rng.standard_normal(8000)
    fbank = Fbank(dither=0.0)
    from_tensor = fbank(torch.from_numpy(samples).float())
    np.testing.assert_array_equal(fbank(samples), from_tensor)


def test_more_than_one_channel_is_a_mistake():
    with pytest.raises(ValueError, match=r"expected samples \(L,\), got \(2, 800\)"):
        Fbank()(np.zeros((2, 800), np.float32))


def test_size_and_shift_cut_fractions_off_as_kaldi_does():
    fbank = Fbank(sample_frequency=11025.0)
    assert (fbank.window_size, fbank.window_shift) == (275, 110)
    assert FrameFeatures.window_size.fget(fbank) == 275


@pytest.mark.parametrize(
    ("name", "scipy_name"),
    [("hanning", "hann"), ("hamming", "hamming"), ("rectangular", "boxcar")],
)
def test_windows_are_the_symmetric_ones(name, scipy_name):
    expected = get_window(scipy_name, 400, fftbins=False)
    np.testing.assert_allclose(make_window(name, 400), expected, atol=1e-7)


def test_blackman_has_a_coefficient():
    expected = get_window("blackman", 400, fftbins=False)
    np.testing.assert_allclose(make_window("blackman", 400), expected, atol=1e-7)
    assert make_window("blackman", 401, blackman_coeff=0.3)[200] == pytest.approx(1.0)
    assert make_window("blackman", 401, blackman_coeff=0.4)[100] == pytest.approx(0.3)


def test_povey_is_hanning_that_rises_faster():
    povey, hanning = make_window("povey", 400), make_window("hanning", 400)
    np.testing.assert_allclose(povey, hanning**0.85, rtol=1e-5)


@pytest.mark.parametrize("fft_size", [400, 512])
def test_power_is_the_squared_magnitude(rng, fft_size):
    frames = rng.standard_normal((7, 400)).astype(np.float32)
    expected = np.abs(np.fft.rfft(frames, fft_size)) ** 2
    power = power_spectrum(torch.from_numpy(frames), fft_size)
    np.testing.assert_allclose(power, expected, rtol=1e-4, atol=1e-3)
