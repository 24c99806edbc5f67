"""Rooms, noises and lines are what was drawn."""

import numpy as np
import pytest

from asdkit.simulation.sessions import (
    NUM_KNOTS,
    band_gain,
    draw_session,
    room_response,
    smooth_gain,
    transmit,
)

FS = 16000
FLAT = np.zeros(NUM_KNOTS)


@pytest.fixture
def studio(rng):
    """No echo, no noise, a straight line."""
    return draw_session(rng)._replace(
        direct_db=200.0, snr_db=200.0, line_db=FLAT, low_hz=0.1, high_hz=1e5
    )


def test_a_perfect_session_changes_the_level_only(rng, studio):
    speech = rng.standard_normal(FS).astype(np.float32)
    heard = transmit(speech, studio, rng)
    rms = np.sqrt(np.mean(heard**2))
    assert 20 * np.log10(rms) == pytest.approx(studio.level_db, abs=0.01)
    np.testing.assert_allclose(heard / rms, speech / speech.std(), atol=1e-2)


def test_noise_is_as_strong_as_drawn(rng, studio):
    """The speech is a tone of which a projection finds amplitude and phase."""
    tone = np.exp(2j * np.pi * 440 * np.arange(FS) / FS)
    noisy = transmit(tone.real, studio._replace(snr_db=10.0, noise_db=FLAT), rng)
    clean = 2 * np.real(np.vdot(tone, noisy) / FS * tone)
    snr = 10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2))
    assert snr == pytest.approx(10, abs=0.3)


def test_the_line_shapes_the_spectrum(rng, studio):
    speech = rng.standard_normal(10 * FS)
    line = np.linspace(0, -20, NUM_KNOTS)
    heard = transmit(speech, studio._replace(line_db=line), rng)
    gain = np.abs(np.fft.rfft(heard)) ** 2 / np.abs(np.fft.rfft(speech)) ** 2
    drop = np.mean(gain[600:1400]) / np.mean(gain[-2000:])  # 100 Hz against 7.9 kHz
    assert 10 * np.log10(drop) == pytest.approx(20 * (1 - 0.04), abs=1)


def test_an_echo_dies_as_fast_as_drawn(rng):
    response = room_response(0.5, 0.0, rng).astype(np.float64)
    assert response[0] == 1
    assert np.sum(response[1:] ** 2) == pytest.approx(1, abs=1e-3)
    begin, end = (np.sum(part**2) for part in np.split(response[1:7921], 2))
    # A quarter of a second less 80 samples is 29.7 dB.
    assert 10 * np.log10(begin / end) == pytest.approx(29.7, abs=1)


def test_a_band_loses_three_decibels_at_its_edges():
    gain = band_gain(100, 4000, np.array([0.0, 100, 1000, 4000, 8000]))
    expected = [0, 0.5**0.5, 1, 0.5**0.5, 2.0**-8]
    np.testing.assert_allclose(gain, expected, atol=1e-3)


def test_a_spectrum_passes_through_its_knots():
    gain = smooth_gain(np.array([6.0, -6.0]), np.array([0.0, 8000.0, 20000.0]))
    np.testing.assert_allclose(20 * np.log10(gain), [6, -6, -6], atol=1e-5)


def test_a_sharp_peak_is_turned_down_and_not_clipped(rng, studio):
    click = np.zeros(FS)
    click[100] = 1
    heard = transmit(click, studio, rng)
    assert np.abs(heard).max() == pytest.approx(0.99)
    np.testing.assert_allclose(heard, 0.99 * click, atol=1e-3)


def test_silence_becomes_noise(rng):
    heard = transmit(np.zeros(FS), draw_session(rng), rng)
    assert np.isfinite(heard).all()
    assert heard.std() > 0


def test_sessions_differ(rng):
    one, other = draw_session(rng), draw_session(rng)
    assert one.snr_db != other.snr_db
    assert not np.allclose(one.line_db, other.line_db)
