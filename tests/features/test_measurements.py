"""Single numbers of a recording: each shows what it is named for."""

import numpy as np
import pytest

from asdkit.features.measurements import DISCRETE, measure

RATE = 16000


@pytest.fixture
def noise(rng):
    return 0.1 * rng.standard_normal(RATE)


def sine(hz, size=2 * RATE):
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(size) / RATE)


def test_levels_of_a_sine_are_those_of_theory():
    found = measure(sine(100), RATE)
    assert found["peak"] == pytest.approx(0.5)
    assert found["RMS"] == pytest.approx(10 * np.log10(0.125), abs=1e-6)
    assert found["crest factor"] == pytest.approx(10 * np.log10(2), abs=1e-6)
    assert found["mean"] == pytest.approx(0, abs=1e-9)


def test_the_mean_has_a_sign(noise):
    low, high = (measure(noise - noise.mean() + x, RATE) for x in (-0.01, 0.01))
    assert low["mean"] == pytest.approx(-0.01)
    assert high["mean"] == pytest.approx(0.01)
    assert low["absolute mean"] == pytest.approx(high["absolute mean"])


@pytest.mark.parametrize("length", [16000, 16385, 1])
def test_length_and_its_remainders(length):
    found = measure(np.full(length, 0.1), RATE)
    assert found["length"] == length
    for name in DISCRETE[1:]:
        assert found[name] == length % int(name.split()[-1])


def test_silence_at_both_ends_is_found_to_a_frame(noise):
    quiet = 1e-4 * noise
    found = measure(np.r_[quiet[:3200], noise, quiet[:8000]], RATE)
    assert found["leading silence"] == pytest.approx(0.2)
    assert found["trailing silence"] == pytest.approx(0.5)
    assert found["noise floor"] == pytest.approx(-100, abs=2)
    assert measure(noise, RATE)["trailing silence"] == 0


def test_one_frame_is_the_quietest_and_not_yet_the_floor(noise):
    hole = noise.copy()
    hole[1600:1760] *= 1e-3
    before, found = measure(noise, RATE), measure(hole, RATE)
    assert found["quietest frame"] == pytest.approx(-80, abs=2)
    assert found["noise floor"] == pytest.approx(before["noise floor"], abs=0.2)


def test_runs_and_share_of_zeros(noise):
    x = noise.copy()
    x[100:107] = x[-30:] = 0
    before, found = measure(noise, RATE), measure(x, RATE)
    assert found["longest run of zeros"] == 30
    added = found["share of zeros"] - before["share of zeros"]
    assert added == pytest.approx(37 / RATE, abs=2 / RATE)
    assert measure(np.zeros(50), RATE)["longest run of zeros"] == 50


@pytest.mark.parametrize(
    ("hz", "band"),
    [(10, "below 20 Hz"), (40, "20 to 60 Hz"), (70, "60 to 80 Hz")],
)
def test_a_tone_is_in_its_band_only(hz, band):
    found = measure(sine(hz), RATE)
    for name in [name for name in found if name.startswith("energy")]:
        if name.endswith(band):
            assert found[name] > -0.01
        else:
            assert found[name] < -30


def test_the_band_above_is_absent_below_its_sampling_rate(noise):
    share = measure(noise, RATE)["energy above 7.5 kHz"]
    assert share == pytest.approx(10 * np.log10(1 / 16), abs=0.5)  # of white noise
    assert np.isnan(measure(noise, 8000)["energy above 7.5 kHz"])


def test_a_missing_bit_shows_in_odd_samples_and_values(noise):
    steps = np.rint(noise * 32768)
    full, halved = measure(steps / 32768, RATE), measure(steps // 2 * 2 / 32768, RATE)
    assert full["share of odd samples"] == pytest.approx(0.5, abs=0.02)
    assert halved["share of odd samples"] == 0
    assert full["distinct values"] == len(np.unique(steps))
    assert halved["distinct values"] == len(np.unique(steps // 2))


def test_clipping_is_found_at_any_level_and_a_lone_peak_is_none(noise):
    assert measure(noise, RATE)["clipped share"] == 0
    for level in 1.0, 0.3:
        clipped = level * np.clip(noise, -0.05, 0.05)
        expected = np.mean(np.abs(noise) >= 0.05) ** 2  # both of two neighbors
        found = measure(clipped, RATE)["clipped share"]
        assert found == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("samples", [np.zeros(400), np.array([0.5]), np.ones(7)])
def test_all_numbers_of_odd_recordings_are_finite(samples):
    found = measure(samples.astype(np.float32), RATE)
    assert np.isfinite([*found.values()]).all()
