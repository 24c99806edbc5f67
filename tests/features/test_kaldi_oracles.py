"""MFCC and filter banks against two other ports of Kaldi, with random options."""

import kaldi_native_fbank as native
import numpy as np
import pytest
import soundfile
import torch

from asdkit.features.mel import Fbank, Mfcc

# At every combination a frame has an even number of samples and no triangle is empty.
CHOICES = {
    "sample_frequency": [8000.0, 12000.0, 16000.0, 48000.0],
    "frame_length": [20.0, 25.0, 32.0, 50.0],
    "frame_shift": [5.0, 10.0, 12.5, 30.0],
    "preemphasis_coefficient": [0.0, 0.5, 0.97, 1.0],
    "remove_dc_offset": [True, False],
    "window_type": ["hamming", "hanning", "povey", "rectangular", "blackman"],
    "round_to_power_of_two": [True, False],
    "blackman_coeff": [0.42, 0.4],
    "snip_edges": [True, False],
    "num_mel_bins": [4, 15, 23],
    "low_freq": [0.0, 20.0, 133.3],
    "high_freq": [0.0, -400.0, 3700.0],
    "use_energy": [True, False],
    "energy_floor": [0.0, 1e8],
    "raw_energy": [True, False],
    "htk_compat": [True, False],
    "sample_scale": [32768.0, 1.0],
}
OF_FBANK = {"use_log_fbank": [True, False], "use_power": [True, False]}
OF_MFCC = {"num_ceps": [1, 3, 4], "cepstral_lifter": [0.0, 10.0, 22.0]}
PLACES = {  # of options that kaldi-native-fbank groups and names in its own way
    "sample_frequency": ("frame_opts", "samp_freq"),
    "frame_length": ("frame_opts", "frame_length_ms"),
    "frame_shift": ("frame_opts", "frame_shift_ms"),
    "dither": ("frame_opts", "dither"),
    "preemphasis_coefficient": ("frame_opts", "preemph_coeff"),
    "remove_dc_offset": ("frame_opts", "remove_dc_offset"),
    "window_type": ("frame_opts", "window_type"),
    "round_to_power_of_two": ("frame_opts", "round_to_power_of_two"),
    "blackman_coeff": ("frame_opts", "blackman_coeff"),
    "snip_edges": ("frame_opts", "snip_edges"),
    "num_mel_bins": ("mel_opts", "num_bins"),
    "low_freq": ("mel_opts", "low_freq"),
    "high_freq": ("mel_opts", "high_freq"),
}


@pytest.fixture(params=range(40))
def extractor(request, kind):
    """An extractor without dither, every option of which is drawn."""
    rng = np.random.default_rng(request.param)
    choices = CHOICES | (OF_FBANK if kind is Fbank else OF_MFCC)
    options = {
        name: values[rng.integers(len(values))] for name, values in choices.items()
    }
    return kind(dither=0.0, **options)


@pytest.fixture
def speech(golden):
    path = golden / "wav" / "spk12-utt0.flac"
    return soundfile.read(path, dtype="float32")[0][:8000]


def stated_options(extractor):
    """Those that the other ports have, too; they take samples that are scaled."""
    return {k: x for k, x in extractor.options.items() if k != "sample_scale"}


def run_native(extractor, samples):
    kind = "Mfcc" if isinstance(extractor, Mfcc) else "Fbank"
    options = getattr(native, f"{kind}Options")()
    for name, value in stated_options(extractor).items():
        group, theirs = PLACES.get(name, (None, name))
        place = getattr(options, group) if group else options
        assert hasattr(place, theirs), name
        setattr(place, theirs, value)
    computer = getattr(native, f"Online{kind}")(options)
    samples = extractor.sample_scale * samples
    computer.accept_waveform(extractor.sample_frequency, samples.tolist())
    computer.input_finished()
    return [computer.get_frame(t) for t in range(computer.num_frames_ready)]


def assert_agrees(extractor, found, expected):
    """To the rounding of float32 FFTs, where a band is far weaker than the loudest."""
    expected = np.reshape(np.asarray(expected), (-1, extractor.dim))
    assert found.shape == expected.shape
    is_log = isinstance(extractor, Mfcc) or extractor.use_log_fbank
    tolerance = {"atol": 2e-3} if is_log else {"atol": 3e-6 * expected.max()}
    np.testing.assert_allclose(found, expected, rtol=1e-5, **tolerance)


@pytest.mark.parametrize("kind", [Fbank, Mfcc])
def test_any_options_agree_with_kaldi_native_fbank(extractor, speech):
    assert_agrees(extractor, extractor(speech), run_native(extractor, speech))


@pytest.mark.parametrize("kind", [Fbank, Mfcc])
def test_any_options_agree_with_torchaudio(extractor, speech, torchaudio):
    compute = getattr(torchaudio.compliance.kaldi, type(extractor).__name__.lower())
    samples = extractor.sample_scale * torch.from_numpy(speech)[None]
    expected = compute(samples, **stated_options(extractor))
    assert_agrees(extractor, extractor(speech), expected)
