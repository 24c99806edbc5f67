import numpy as np
import pytest
import torch

from asdkit.base.filterbanks import htk_mel_banks
from asdkit.simulation.griffin_lim import griffin_lim

FS = 16000


def log_spectrum(samples):
    frames = np.lib.stride_tricks.sliding_window_view(samples, 512)[::128]
    power = np.abs(np.fft.rfft(frames * np.hanning(512))) ** 2
    return np.log10(np.maximum(power, 1e-6 * power.max()))


@pytest.mark.parametrize(("num_mels", "least"), [(80, 0.9), (40, 0.85), (0, 0.95)])
def test_the_spectrogram_survives_and_the_phase_does_not(spoken, num_mels, least):
    copy = griffin_lim(spoken, FS, num_mels)
    assert copy.shape == spoken.shape
    assert copy.dtype == np.float32
    close = np.corrcoef(log_spectrum(spoken).ravel(), log_spectrum(copy).ravel())[0, 1]
    assert close > least
    assert abs(np.corrcoef(spoken, copy)[0, 1]) < 0.8


def plainly(samples, sample_frequency, num_mels):
    """Griffin-Lim by torch's own transforms."""
    size, hop = round(0.064 * sample_frequency), round(0.016 * sample_frequency)
    window = torch.hann_window(size)
    frames = {"n_fft": size, "hop_length": hop, "window": window}
    wave = torch.from_numpy(samples)
    magnitude = torch.stft(wave, **frames, return_complex=True).abs()
    top = sample_frequency / 2
    bands = htk_mel_banks(size, 0, top, num_mels, sample_frequency).T.double()
    magnitude = torch.linalg.pinv(bands) @ (bands @ magnitude.double())
    magnitude = magnitude.clamp(min=0).float()
    phases = torch.ones_like(magnitude, dtype=torch.complex64)
    before = torch.zeros_like(phases)
    for _ in range(32):
        wave = torch.istft(magnitude * phases, **frames, length=len(samples))
        spectrum = torch.stft(wave, **frames, return_complex=True)
        phases = spectrum - before * (0.99 / 1.99)
        phases = phases / (phases.abs() + 1e-16)
        before = spectrum
    return torch.istft(magnitude * phases, **frames, length=len(samples)).numpy()


@pytest.mark.parametrize("sample_frequency", [FS, 8000, 11025])  # 11025: odd hops
@pytest.mark.parametrize("cut", [1, 100])
def test_the_fast_way_is_the_plain_one_to_the_bit(spoken, sample_frequency, cut):
    """Of rounding errors, 32 rounds make differences that can be heard."""
    samples = np.ascontiguousarray(spoken[cut:], np.float32)
    found = griffin_lim(samples, sample_frequency)
    np.testing.assert_array_equal(found, plainly(samples, sample_frequency, 80))


@pytest.mark.parametrize(("sample_frequency", "num_mels"), [(FS, 80), (8000, 40)])
def test_the_waveform_is_the_one_of_torchaudio(
    spoken, sample_frequency, num_mels, torchaudio
):
    functional = torchaudio.functional
    size = round(0.064 * sample_frequency)
    frames = {"n_fft": size, "hop_length": size // 4, "win_length": size}
    frames |= {"window": torch.hann_window(size), "power": 1.0}
    magnitude = functional.spectrogram(
        torch.from_numpy(spoken).float(), pad=0, normalized=False, **frames
    )
    bands = functional.melscale_fbanks(
        size // 2 + 1, 0.0, sample_frequency / 2, num_mels, sample_frequency
    ).T.double()
    bands = torch.linalg.pinv(bands) @ (bands @ magnitude.double())
    expected = functional.griffinlim(
        bands.clamp(min=0).float(),
        n_iter=32,
        momentum=0.99,
        length=len(spoken),
        rand_init=False,
        **frames,
    )
    found = griffin_lim(spoken, sample_frequency, num_mels)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_more_mels_copy_better(spoken):
    errors = [
        np.abs(
            log_spectrum(spoken) - log_spectrum(griffin_lim(spoken, FS, mels))
        ).mean()
        for mels in (20, 80)
    ]
    assert errors[1] < 0.8 * errors[0]


def test_the_same_comes_out_each_time(spoken):
    np.testing.assert_array_equal(griffin_lim(spoken, FS), griffin_lim(spoken, FS))


def test_another_rate_is_as_good(spoken):
    samples = spoken[::2].copy()
    assert griffin_lim(samples, 8000).shape == samples.shape


def test_all_of_the_spectrogram_copies_better_than_its_mels(spoken):
    errors = [
        np.abs(
            log_spectrum(spoken) - log_spectrum(griffin_lim(spoken, FS, mels))
        ).mean()
        for mels in (80, 0)
    ]
    assert errors[1] < 0.7 * errors[0]
