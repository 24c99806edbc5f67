"""The chain that both classes end in: what it removes, what it draws, what it keeps."""

import numpy as np
import pytest

from asdkit.features.measurements import measure
from asdkit.simulation.equalizing import CUTOFF_HZ, equalize

RATE = 16000


def speech_like(rng, sec=2.0):
    """Noise whose loudness changes, with a voice's fundamental at 200 Hz."""
    t = np.arange(round(sec * RATE)) / RATE
    loudness = 0.02 + np.abs(np.sin(2 * np.pi * 2 * t))
    return (
        0.1 * loudness * (np.sin(2 * np.pi * 200 * t) + 0.3 * rng.normal(size=len(t)))
    )


def chain(samples, seed=0):
    return equalize(samples, RATE, np.random.default_rng(seed))


def test_the_same_generator_gives_the_same_samples_and_another_others(rng):
    x = speech_like(rng)
    np.testing.assert_array_equal(chain(x), chain(x))
    assert len(chain(x)) != len(chain(x, 1))
    assert chain(x).dtype == np.float32


def test_an_offset_and_a_hum_are_gone(rng):
    x = speech_like(rng)
    hum = 0.05 + 0.05 * np.sin(2 * np.pi * 30 * np.arange(len(x)) / RATE)
    clean, dirty = (measure(chain(y), RATE) for y in (x, x + hum))
    assert abs(dirty["mean"]) < 2e-4
    for band in "energy below 20 Hz", "energy 20 to 60 Hz":
        assert dirty[band] == pytest.approx(clean[band], abs=3)


def test_what_lies_above_the_cutoff_stays_without_delay():
    t = np.arange(RATE) / RATE
    x = 0.1 * np.sin(2 * np.pi * 3 * CUTOFF_HZ * t) * np.hanning(RATE)
    y = chain(np.r_[np.zeros(4000), x, np.zeros(4000)])
    lag = np.argmax(np.correlate(y, x, "valid"))
    part = y[lag : lag + RATE]
    assert np.corrcoef(part, x)[0, 1] > 0.999


def test_lengths_of_a_hop_are_so_no_more(rng):
    lengths = np.array([len(chain(speech_like(rng), seed)) for seed in range(200)])
    for hop in 64, 80, 128, 160, 256, 512, 1024:
        found = np.bincount(lengths % hop * 8 // hop, minlength=8)
        assert found.max() < 50, hop  # 25 of 200 in every eighth, 5 deviations


@pytest.mark.parametrize("pause", [0, 400, 12000])
def test_silence_at_the_ends_follows_the_law_whatever_it_was(rng, pause):
    quiet = 1e-4 * rng.normal(size=pause)
    x = np.r_[quiet, 0.1 * rng.normal(size=RATE), quiet]
    silence = len(chain(x)) - RATE
    frame = 160
    assert silence > 2 * 0.1 * RATE - 2 * frame
    assert silence < 2 * 0.3 * RATE + 2 * frame


def test_level_and_floor_follow_their_laws_not_the_recordings(rng):
    x = speech_like(rng)
    loud, soft = (measure(chain(gain * x), RATE) for gain in (3.0, 0.01))
    assert loud["RMS"] == pytest.approx(soft["RMS"], abs=0.2)
    assert loud["noise floor"] == pytest.approx(soft["noise floor"], abs=1)
    levels = [measure(chain(x, seed), RATE)["RMS"] for seed in range(30)]
    assert -33 < min(levels) < -29 < -27 < max(levels) < -23


@pytest.mark.parametrize("samples", [np.zeros(8000), np.ones(1), np.full(300, 0.5)])
def test_recordings_without_speech_pass_and_hold_no_run_of_zeros(samples):
    y = chain(samples.astype(np.float32))
    assert np.isfinite(y).all()
    assert measure(y, RATE)["longest run of zeros"] < 30


def test_padding_sounds_as_the_quietest_frames_do(rng):
    floor = 0.01 * np.convolve(rng.normal(size=20000), np.ones(16) / 4, "same")
    x = floor.copy()
    x[3200:16000] += speech_like(rng)[:12800] * 10
    x[:3200], x[16000:] = floor[:3200], floor[16000:]
    y = chain(x[3100:16100])
    pad = y[:1200].astype(float)
    spectrum = np.abs(np.fft.rfft(pad * np.hanning(1200))) ** 2
    low, high = spectrum[15:40].mean(), spectrum[300:].mean()
    assert low > 10 * high
