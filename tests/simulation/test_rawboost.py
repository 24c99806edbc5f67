"""RawBoost against its formulas."""

import numpy as np
import pytest
from scipy.signal import firwin

from asdkit.simulation import rawboost
from asdkit.simulation.rawboost import ALGORITHMS, RawBoost, limit_peak

SAMPLES = np.random.default_rng(5).uniform(-0.5, 0.5, 4000).astype(np.float32)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("rate", [8000, 16000])
def test_chunks_change_but_not_their_length(algorithm, rate):
    boost = RawBoost(algorithm, rate)
    before = SAMPLES.copy()
    first, again, other = (
        boost(SAMPLES, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.shape == SAMPLES.shape
    assert first.dtype == np.float32
    assert not np.array_equal(first, SAMPLES)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(SAMPLES, before)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_silence_stays_silence(algorithm, rng):
    assert not RawBoost(algorithm)(np.zeros(500, np.float32), rng).any()


def test_convolutive_noise_is_a_sum_of_filtered_powers(monkeypatch):
    """With filters that are given: sum_j b_j * x^j, centered, its mean taken off."""
    taps = [np.array([0.1, 0.5, 0.1]) / (j + 1) for j in range(rawboost.NUM_POWERS)]
    ready = iter(taps)
    boost = RawBoost(1)
    monkeypatch.setattr(boost, "draw_filter", lambda rng, weaker_db: next(ready))
    changed = boost(SAMPLES, np.random.default_rng(0))
    x = SAMPLES.astype(np.float64)
    expected = sum(
        np.convolve(x ** (j + 1), b, mode="same") for j, b in enumerate(taps)
    )
    np.testing.assert_allclose(changed, expected - expected.mean(), atol=1e-6)


def test_powers_are_weaker_by_five_to_twenty_decibels(rng):
    boost = RawBoost(1)
    for weaker_db, low, high in ((0, 0), 0, 0), ((5, 20), -20, -5):
        peaks = [
            np.abs(np.fft.rfft(boost.draw_filter(rng, weaker_db), 8192)).max()
            for _ in range(100)
        ]
        peaks = 20 * np.log10(peaks)
        assert low - 0.01 <= peaks.min() <= peaks.max() <= high + 0.1


def test_a_filter_is_symmetric_and_has_notches(rng, monkeypatch):
    monkeypatch.setattr(rawboost, "NUM_NOTCHES", 1)
    monkeypatch.setattr(rawboost, "NUM_TAPS", (91, 92))
    monkeypatch.setattr(rawboost, "CENTER_HZ", (2000.0, 2000.0))
    monkeypatch.setattr(rawboost, "WIDTH_HZ", (800.0, 800.0))
    taps = RawBoost(1).draw_filter(rng, (0, 0))
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)
    expected = firwin(91, [1600, 2400], fs=16000)  # passes all but this band
    np.testing.assert_allclose(taps / taps.sum(), expected, atol=1e-9)
    response = np.abs(np.fft.rfft(taps, 1600))
    assert response[200] < 0.05 < 0.9 < response[100]  # 2 and 1 kHz


def test_impulsive_noise_hits_a_tenth_at_most_and_at_most_doubles_it(rng):
    boost = RawBoost(2)
    shares, largest = [], 0.0
    for _ in range(200):
        changed = boost(0.1 * SAMPLES, rng)
        hit = changed != 0.1 * SAMPLES
        shares.append(hit.mean())
        ratio = changed[hit] / (0.1 * SAMPLES[hit])
        largest = max(largest, np.abs(ratio - 1).max(initial=0))
    assert 0.095 < max(shares) <= 0.1
    assert np.mean(shares) == pytest.approx(0.05, abs=0.005)
    assert 1.8 < largest <= 2.001  # |2 u v| with u, v in (-1, 1)


def test_stationary_noise_lies_ten_to_forty_decibels_below(rng):
    boost = RawBoost(3)
    snr_db = []
    for _ in range(200):
        noise = boost(SAMPLES, rng).astype(np.float64) - SAMPLES
        snr_db.append(10 * np.log10(np.sum(SAMPLES**2.0) / np.sum(noise**2)))
    assert 9.9 < min(snr_db) < 12
    assert 38 < max(snr_db) < 40.1


def test_the_fourth_is_the_first_three_in_a_row():
    boost, rng = RawBoost(4), np.random.default_rng(8)
    expected = SAMPLES
    for step in boost.add_convolutive, boost.add_impulsive, boost.add_stationary:
        expected = step(expected, rng)
    np.testing.assert_array_equal(boost(SAMPLES, np.random.default_rng(8)), expected)


def test_the_eighth_adds_the_first_two_side_by_side():
    boost, rng = RawBoost(8), np.random.default_rng(8)
    expected = boost.add_convolutive(SAMPLES, rng) + boost.add_impulsive(SAMPLES, rng)
    changed = boost(SAMPLES, np.random.default_rng(8))
    np.testing.assert_allclose(changed, limit_peak(expected), atol=1e-6)


def test_only_peaks_above_one_are_scaled():
    assert limit_peak(np.array([0.5, -2.0])).tolist() == [0.25, -1]
    assert limit_peak(np.array([0.5, -0.9])).tolist() == pytest.approx([0.5, -0.9])


def test_there_is_no_ninth():
    with pytest.raises(ValueError, match="from 1 to 8, got 9"):
        RawBoost(9)
