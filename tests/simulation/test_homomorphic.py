"""Cepstral envelopes of filters that are known; the vocoder against its input."""

import numpy as np
import pytest
from scipy.signal import freqz, lfilter

from asdkit.simulation.homomorphic import cepstral_envelope, cepstral_vocode
from asdkit.simulation.pitch import track_pitch

FS = 16000


def test_the_filter_of_noise_is_found(rng):
    """Magnitude and phase, as the filter is of minimum phase."""
    b, a = [1, -0.5], [1, -1.2, 0.72]
    samples = lfilter(b, a, 0.3 * rng.standard_normal(8 * FS))
    envelope = cepstral_envelope(samples, FS)[5:-5]
    true = 0.3 * freqz(b, a, np.linspace(0, np.pi, envelope.shape[1]))[1]
    ratio = np.exp(np.mean(np.log(np.abs(envelope)), axis=0)) / np.abs(true)
    assert np.abs(20 * np.log10(ratio)).max() < 1
    turned = np.angle(envelope.mean(axis=0) / true)
    assert np.abs(turned).max() < 0.1


def test_noise_through_the_envelope_is_as_loud_as_the_frame(rng):
    samples = 0.2 * rng.standard_normal(FS)
    power = np.mean(np.abs(cepstral_envelope(samples, FS)[5:-5]) ** 2)
    assert power == pytest.approx(0.04, rel=0.05)


@pytest.mark.parametrize("fs", [8000, 16000])
def test_a_copy_has_length_and_pitch_of_the_original(spoken, fs, rng):
    samples = spoken[:: FS // fs].copy()
    copy = cepstral_vocode(samples, fs, rng)
    assert copy.shape == samples.shape
    assert copy.dtype == np.float32
    before, after = (track_pitch(x, fs, fs // 100) for x in (samples, copy))
    both = (before > 0) & (after > 0)
    assert both.sum() > 0.8 * (before > 0).sum() > 20
    assert np.median(np.abs(12 * np.log2(before[both] / after[both]))) < 0.2
