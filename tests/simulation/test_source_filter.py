"""The pieces of the source-filter model against their definitions."""

import numpy as np
import pytest
from scipy.signal import lfilter, sosfreqz

from asdkit.simulation.source_filter import (
    analyze,
    band,
    cascade,
    glottal_spectrum,
    pulse_train,
    section,
    synthesize,
)

FS = 16000


@pytest.mark.parametrize(("num_samples", "hop"), [(1, 128), (1280, 128), (5001, 97)])
def test_pieces_add_up_to_what_was_cut(rng, num_samples, hop):
    samples = rng.standard_normal(num_samples)
    spectra = analyze(samples, hop)
    assert spectra.shape == (-(-num_samples // hop) + 1, 4 * hop + 1)
    rebuilt = synthesize(spectra, hop, num_samples)
    np.testing.assert_allclose(rebuilt, samples, atol=1e-5)


def test_a_tract_that_rests_is_a_recursive_filter(rng):
    samples = rng.standard_normal(4000)
    center, width = np.array([500.0, 1500.0]), np.array([100.0, 150.0])
    sections = section(center, width, FS)
    spectra = analyze(samples, 128)
    spectra /= cascade(sections[None], spectra.shape[1])
    expected = samples
    for poly in sections:
        expected = lfilter([1.0], poly, expected)
    actual = synthesize(spectra, 128, len(samples))
    # What is left of a resonance of 100 Hz after six hops of 8 ms: exp(-15).
    np.testing.assert_allclose(actual, expected, atol=1e-4 * expected.std())


def test_a_cascade_is_the_product_of_its_sections(rng):
    center = rng.uniform(200, 7000, (3, 5))
    width = rng.uniform(50, 400, (3, 5))
    sections = section(center, width, FS)
    response = cascade(sections, 129)
    for frame in range(3):
        sos = np.concatenate([sections[frame], np.tile([1.0, 0, 0], (5, 1))], axis=1)
        expected = sosfreqz(sos, np.linspace(0, np.pi, 129))[1]
        np.testing.assert_allclose(response[frame], expected, rtol=1e-6, atol=1e-9)


def test_a_resonance_lies_where_it_should_and_is_as_wide():
    poles = section(np.array([1500.0]), np.array([100.0]), FS)
    num_bins = 16001  # half a hertz from one to the next
    gain_db = -20 * np.log10(np.abs(cascade(poles[None], num_bins)[0]))
    frequencies = np.linspace(0, FS / 2, num_bins)
    assert gain_db[0] == pytest.approx(0, abs=1e-9)
    assert frequencies[gain_db.argmax()] == pytest.approx(1500, abs=5)
    inside = frequencies[gain_db > gain_db.max() - 10 * np.log10(2)]
    assert np.ptp(inside) == pytest.approx(100, rel=0.05)


def test_a_formant_beyond_the_nyquist_frequency_does_nothing():
    poly = section(np.array([4500.0]), np.array([200.0]), 8000)
    np.testing.assert_array_equal(poly, [[1, 0, 0]])


def test_a_pulse_between_samples_is_flat_and_in_time():
    time = 100.3
    spectrum = np.fft.rfft(pulse_train(np.array([time]), np.array([2.0]), 256))
    low = np.arange(90)  # of 129: up to 5.6 kHz
    expected = 2 * np.exp(-2j * np.pi * low * time / 256)
    np.testing.assert_allclose(spectrum[low], expected, atol=0.02)


def test_pulses_outside_are_cut_off():
    pulses = pulse_train(np.array([-50.0, 10.0, 99.5, 300.0]), np.ones(4), 100)
    alone = pulse_train(np.array([10.0, 99.5]), np.ones(2), 100)
    np.testing.assert_array_equal(pulses, alone)
    assert pulse_train(np.array([]), np.array([]), 5).tolist() == [0] * 5


def test_the_glottis_works_up_to_its_closure():
    frequencies = np.fft.rfftfreq(4096, 1 / FS)
    pulse = np.fft.irfft(glottal_spectrum(frequencies, 100, 0.6, 6.0))
    before, after = pulse[2048:], pulse[1:2048]
    assert np.sum(before**2) > 5 * np.sum(after**2)
    # An open phase of 6 ms before the closure holds nearly everything.
    assert np.sum(before[-96:] ** 2) > 0.8 * np.sum(before**2)


def test_a_soft_closure_takes_away_what_it_says():
    at = np.array([3000.0])
    soft = np.abs(glottal_spectrum(at, 100, 0.6, 12.0))
    hard = np.abs(glottal_spectrum(at, 100, 0.6, 0.1))
    np.testing.assert_allclose(20 * np.log10(hard / soft), 11.9, atol=0.01)


def test_the_glottal_formant_rises_with_pitch_and_with_a_shorter_opening():
    frequencies = np.arange(1.0, 1000)

    def peak(f0, open_quotient):
        gain = np.abs(glottal_spectrum(frequencies, f0, open_quotient, 10.0))
        assert 0.9 < gain.max() < 1.2
        return frequencies[gain.argmax()]

    assert peak(200, 0.6) == pytest.approx(2 * peak(100, 0.6), rel=0.1)
    assert peak(100, 0.4) == pytest.approx(1.5 * peak(100, 0.6), rel=0.1)


def test_a_band_is_one_at_its_center_and_falls_off():
    frequencies = np.array([1000.0, 4000.0, 4500.0, 8000.0])
    gain = np.abs(band(frequencies, np.array([4000.0]), np.array([1000.0])))[0]
    assert gain[1] == pytest.approx(1)
    assert gain[2] == pytest.approx(0.5, abs=0.05)  # half a width away, twice -3 dB
    assert gain[0] < 0.01
    assert gain[3] < 0.05
