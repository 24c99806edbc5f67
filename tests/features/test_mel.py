"""MFCC and filter banks: against Kaldi's files and against the definition."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import AsdkitError
from asdkit.features.mel import Fbank, Mfcc
from asdkit.io.ark import read_arrays

EPSILON = np.finfo(np.float32).eps


def read_wav(golden, utt):
    return soundfile.read(golden / "wav" / f"{utt}.flac", dtype="float32")[0]


def define_frames(x, size, shift, snip_edges):
    """Kaldi's ExtractWindow, sample by sample."""
    if snip_edges:
        num_frames = 1 + (len(x) - size) // shift if len(x) >= size else 0
        firsts = shift * np.arange(num_frames)
    else:
        num_frames = (len(x) + shift // 2) // shift
        firsts = shift * np.arange(num_frames) + shift // 2 - size // 2
    frames = np.zeros((num_frames, size))
    for t, first in enumerate(firsts):
        for n in range(size):
            i = first + n
            while not 0 <= i < len(x):
                i = -i - 1 if i < 0 else 2 * len(x) - 1 - i
            frames[t, n] = x[i]
    return frames


def define_window(window_type, size, blackman_coeff):
    a = 2 * np.pi * np.arange(size) / (size - 1)
    return {
        "hanning": 0.5 - 0.5 * np.cos(a),
        "sine": np.sin(a / 2),
        "hamming": 0.54 - 0.46 * np.cos(a),
        "povey": (0.5 - 0.5 * np.cos(a)) ** 0.85,
        "rectangular": np.ones(size),
        "blackman": blackman_coeff
        - 0.5 * np.cos(a)
        + (0.5 - blackman_coeff) * np.cos(2 * a),
    }[window_type]


def define_banks(o, fft_size):
    mel = lambda hz: 1127 * np.log(1 + hz / 700)  # noqa: E731
    nyquist = o.sample_frequency / 2
    high = o.high_freq if o.high_freq > 0 else nyquist + o.high_freq
    edges = np.linspace(mel(o.low_freq), mel(high), o.num_mel_bins + 2)
    at = mel(np.arange(fft_size // 2) * o.sample_frequency / fft_size)
    rising = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


def define(o, samples):
    """Kaldi's features in double precision, without dither."""
    size = int(o.sample_frequency * o.frame_length / 1000)
    shift = int(o.sample_frequency * o.frame_shift / 1000)
    x = define_frames(samples.astype(float) * 32768, size, shift, o.snip_edges)
    if o.remove_dc_offset:
        x = x - x.mean(axis=1, keepdims=True)
    energy = np.sum(x**2, axis=1)
    before = np.concatenate([x[:, :1], x[:, :-1]], axis=1)
    x = x - o.preemphasis_coefficient * before
    x = x * define_window(o.window_type, size, o.blackman_coeff)
    if not o.raw_energy:
        energy = np.sum(x**2, axis=1)
    log_energy = np.log(np.maximum(energy, max(EPSILON, o.energy_floor)))
    fft_size = 2 ** int(np.ceil(np.log2(size))) if o.round_to_power_of_two else size
    spectrum = np.abs(np.fft.rfft(x, fft_size))[:, :-1]
    banks = define_banks(o, fft_size).T
    if isinstance(o, Fbank):
        feats = (spectrum**2 if o.use_power else spectrum) @ banks
        if o.use_log_fbank:
            feats = np.log(np.maximum(feats, EPSILON))
        if not o.use_energy:
            return feats
        order = [feats, log_energy[:, None]]
        return np.hstack(order if o.htk_compat else order[::-1])
    mel = np.log(np.maximum(spectrum**2 @ banks, EPSILON))
    b = o.num_mel_bins
    k, n = np.arange(o.num_ceps)[:, None], np.arange(b)
    dct = np.sqrt(2 / b) * np.cos(np.pi / b * (n + 0.5) * k)
    dct[0] = np.sqrt(1 / b)
    feats = mel @ dct.T
    if o.cepstral_lifter:
        q = o.cepstral_lifter
        feats *= 1 + q / 2 * np.sin(np.pi * k[:, 0] / q)
    if o.use_energy:
        feats[:, 0] = log_energy
    if not o.htk_compat:
        return feats
    c0 = feats[:, :1] * (1 if o.use_energy else np.sqrt(2))
    return np.hstack([feats[:, 1:], c0])


def assert_agrees(ours, kaldi, exact):
    """Compare with Kaldi's file and with the definition in double precision.

    Kaldi's FFT has float32 rounding errors relative to the loudest frequency of a
    frame.  Where a band is a hundred million times weaker they show: Kaldi's own
    output is up to 3.83e-3 from the definition, so nobody can be nearer to it than to
    the other side of that.  Ours depends on the FFT that torch has for the CPU: with
    one, the 80 bands are 1.6e-3 from Kaldi's and 3.7e-3 from the definition, with
    another 4.3e-3 and 4.5e-4.
    """
    assert ours.dtype == np.float32
    assert ours.shape == kaldi.shape
    assert np.abs(kaldi - exact).max() <= 3.9e-3
    assert np.abs(ours - exact).max() <= 3.7e-3
    assert (np.abs(ours - kaldi) <= 2e-3 + np.abs(kaldi - exact)).all()


@pytest.mark.parametrize("part", ["train", "test"])
def test_mfcc_agrees_with_kaldi(golden, part):
    """The options are those of mfcc.conf."""
    mfcc = Mfcc(
        dither=0.0,
        low_freq=20.0,
        high_freq=7600.0,
        num_mel_bins=30,
        num_ceps=24,
        snip_edges=False,
    )
    for utt, kaldi in read_arrays(f"ark:{golden}/feats/mfcc_{part}.ark"):
        samples = read_wav(golden, utt)
        assert_agrees(mfcc(samples), kaldi, define(mfcc, samples))


def test_fbank_agrees_with_kaldi(golden):
    """The options are those of fbank.conf."""
    fbank = Fbank(dither=0.0, num_mel_bins=80)
    found = dict(read_arrays(f"ark:{golden}/feats/fbank80_head3.ark"))
    assert len(found) == 3
    for utt, kaldi in found.items():
        samples = read_wav(golden, utt)
        assert_agrees(fbank(samples), kaldi, define(fbank, samples))


@pytest.fixture
def speech(golden):
    return read_wav(golden, "spk12-utt0")[:8000]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Mfcc, {}),
        (Mfcc, {"use_energy": False}),
        (Mfcc, {"raw_energy": False}),
        (Mfcc, {"energy_floor": 1e9}),
        (Mfcc, {"htk_compat": True}),
        (Mfcc, {"htk_compat": True, "use_energy": False}),
        (Mfcc, {"cepstral_lifter": 0.0, "num_ceps": 23}),
        (Mfcc, {"cepstral_lifter": 10.0, "num_ceps": 1}),
        (Mfcc, {"high_freq": -400.0, "low_freq": 100.0}),
        (Mfcc, {"sample_frequency": 8000.0, "high_freq": 3700.0}),
        (Mfcc, {"sample_frequency": 11025.0, "snip_edges": False}),
        (Mfcc, {"snip_edges": False, "frame_shift": 30.0, "frame_length": 20.0}),
        (Fbank, {}),
        (Fbank, {"use_energy": True}),
        (Fbank, {"use_energy": True, "htk_compat": True}),
        (Fbank, {"use_log_fbank": False}),
        (Fbank, {"use_power": False}),
        (Fbank, {"use_power": False, "use_log_fbank": False}),
        (Fbank, {"preemphasis_coefficient": 0.0}),
        (Fbank, {"remove_dc_offset": False, "preemphasis_coefficient": 0.5}),
        (Fbank, {"round_to_power_of_two": False}),
        (Fbank, {"window_type": "hamming"}),
        (Fbank, {"window_type": "hanning"}),
        (Fbank, {"window_type": "rectangular"}),
        (Fbank, {"window_type": "sine"}),
        (Fbank, {"window_type": "blackman", "blackman_coeff": 0.4}),
    ],
)
def test_every_option_does_what_the_definition_says(speech, kind, options):
    extractor = kind(dither=0.0, **options)
    feats, expected = extractor(speech), define(extractor, speech)
    assert feats.shape == (len(expected), extractor.dim)
    np.testing.assert_allclose(feats, expected, rtol=2e-4, atol=2e-3)


@pytest.mark.parametrize("num_samples", [81, 160, 399, 400, 401])
@pytest.mark.parametrize("snip_edges", [True, False])
def test_short_signals_are_cut_and_mirrored_as_in_kaldi(
    speech, num_samples, snip_edges
):
    fbank = Fbank(dither=0.0, snip_edges=snip_edges)
    short = speech[3000 : 3000 + num_samples]
    feats, expected = fbank(short), define(fbank, short)
    assert feats.shape == expected.shape
    np.testing.assert_allclose(feats, expected, atol=2e-3)


@pytest.mark.parametrize("num_samples", [0, 1, 79])
@pytest.mark.parametrize("snip_edges", [True, False])
def test_what_is_shorter_than_half_a_shift_has_no_frames(num_samples, snip_edges):
    feats = Mfcc(snip_edges=snip_edges)(np.ones(num_samples, np.float32))
    assert feats.shape == (0, 13)
    assert feats.dtype == np.float32


def test_silence_gives_constant_features():
    for mfcc in (Mfcc(dither=0.0), Mfcc(dither=0.0, snip_edges=False)):
        feats = mfcc(np.zeros(4000, np.float32))
        np.testing.assert_array_equal(feats, np.broadcast_to(feats[0], feats.shape))
        np.testing.assert_allclose(feats[:, 0], np.log(EPSILON), rtol=1e-6)


def test_an_offset_changes_nothing(speech):
    mfcc = Mfcc(dither=0.0)
    shifted = mfcc(speech + np.float32(0.125))
    np.testing.assert_allclose(shifted, mfcc(speech), atol=2e-2)


def test_dither_is_noise_of_its_standard_deviation():
    silence = np.zeros(160000, np.float32)
    for dither in (1.0, 3.0):
        mfcc = Mfcc(dither=dither, snip_edges=False)
        energy = np.exp(mfcc(silence)[:, 0])
        # 400 samples, less the degree of freedom that the mean takes.
        np.testing.assert_allclose(energy.mean(), 399 * dither**2, rtol=0.02)


def test_dither_depends_on_the_seed_alone(speech):
    mfcc = Mfcc()
    np.testing.assert_array_equal(mfcc(speech, seed=3), mfcc(speech, seed=3))
    assert np.abs(mfcc(speech, seed=3) - mfcc(speech, seed=4)).max() > 1e-3
    together = mfcc.batch([speech[:4000], speech, speech], seeds=[5, 4, 3])
    np.testing.assert_allclose(together[2], mfcc(speech, seed=3), atol=1e-4)
    np.testing.assert_allclose(together[1], mfcc(speech, seed=4), atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Mfcc, {"low_freq": 8000.0}, "--low-freq 8000.0 --high-freq 0.0: expected"),
        (Mfcc, {"high_freq": 8001.0}, "0 <= low < high <= 8000.0 Hz, got 20.0 and 80"),
        (Mfcc, {"high_freq": -8000.0}, "got 20.0 and 0.0"),
        (Mfcc, {"num_ceps": 24}, "--num-ceps 24: expected 1 to 23"),
        (Mfcc, {"num_mel_bins": 3, "num_ceps": 2}, "--num-mel-bins 3: expected at"),
        (Fbank, {"num_mel_bins": 200}, "--num-mel-bins 200: .* triangles fall between"),
        (Fbank, {"frame_shift": 0.05}, "expected two samples and one at 16000.0 Hz"),
        (
            Fbank,
            {"round_to_power_of_two": False, "frame_length": 20.1},
            "an even number of samples, got 321",
        ),
    ],
)
def test_options_that_cannot_be_are_named(speech, kind, options, message):
    with pytest.raises(AsdkitError, match=message):
        kind(**options)(speech)


def test_options_rebuild_the_extractor():
    mfcc = Mfcc(num_ceps=20, low_freq=50.0)
    assert Mfcc(**mfcc.options) == mfcc
