"""The chain that both classes end in: what it removes, what it draws, what it keeps."""

import numpy as np
import pytest

from asdkit.features.measurements import measure
from asdkit.simulation.equalizing import (
    CREST_DB,
    CUTOFF_HZ,
    TOP,
    equalize,
    floor_of,
    speech_length,
)

RATE = 16000


def speech_like(rng, sec=2.0):
    """Noise whose loudness changes, with a voice's fundamental at 200 Hz."""
    t = np.arange(round(sec * RATE)) / RATE
    loudness = 0.02 + np.abs(np.sin(2 * np.pi * 2 * t))
    return (
        0.1 * loudness * (np.sin(2 * np.pi * 200 * t) + 0.3 * rng.normal(size=len(t)))
    )


def chain(samples, seed=0, **options):
    return equalize(samples, RATE, np.random.default_rng(seed), **options)


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


def test_speech_is_cut_where_it_has_the_least_pauses(rng):
    """Two halves of noise: one with pauses, one without, in either order."""
    dense = 0.1 * rng.normal(size=2 * RATE)
    gaps = dense * (np.arange(2 * RATE) % 4000 < 1000)
    for x in np.r_[dense, gaps], np.r_[gaps, dense]:
        y = chain(x, speech_sec=1.5)
        assert 0.75 + 0.2 - 0.02 <= len(y) / RATE <= 1.5 + 0.6 + 0.02
        inner = y[round(0.35 * RATE) : -round(0.35 * RATE)]
        level = np.sqrt(
            np.mean(
                inner.reshape(-1)[: len(inner) // 80 * 80].reshape(-1, 80) ** 2, axis=1
            )
        )
        assert level.min() > 0.3 * level.max()


def test_no_longer_than_what_was_imitated(rng):
    x = 0.1 * rng.normal(size=4 * RATE)
    assert 0.6 - 0.02 <= len(chain(x, speech_sec=3, longest_sec=0.4)) / RATE <= 1.02


def test_the_length_of_speech_is_that_between_its_silences(rng):
    x = np.r_[np.zeros(4000), 0.1 * rng.normal(size=RATE), np.zeros(4000)]
    assert speech_length(x, RATE) == pytest.approx(1, abs=0.03)


def test_a_room_is_drawn_and_heard(rng):
    click = np.zeros(RATE)
    click[4000] = 1
    dry, wet = (
        np.mean([np.std(chain(click, seed, in_rooms=x)[:9000]) for seed in range(9)])
        for x in (False, True)
    )
    tails = []
    for in_rooms in False, True:
        y = chain(click, 3, in_rooms=in_rooms)
        at = int(np.abs(y).argmax())
        tails.append(np.sum(y[at + 80 : at + 1000] ** 2) / np.sum(y**2))
    assert tails[1] > 2 * tails[0]
    assert dry != wet


def test_both_polarities_and_no_peaks(rng):
    lopsided = 0.1 * np.abs(speech_like(rng)) ** 3
    signs = {np.sign(np.mean(chain(lopsided, seed) ** 3)) for seed in range(20)}
    assert signs == {-1, 1}
    spiky = speech_like(rng)
    spiky[::4000] = 1
    crests = [measure(chain(spiky, seed), RATE)["crest factor"] for seed in range(20)]
    assert max(crests) < CREST_DB[1] + 3
    assert measure(spiky, RATE)["crest factor"] > 20


def test_above_the_top_only_noise_is_left(rng):
    y = chain(0.1 * rng.normal(size=2 * RATE))
    power = np.abs(np.fft.rfft(y)) ** 2
    hz = np.fft.rfftfreq(len(y), 1 / RATE)
    top = TOP * RATE
    above = power[hz > 1.07 * top].mean() / power[(hz > 1000) & (hz < 0.9 * top)].mean()
    assert 1e-4 < above < 2e-3  # -40 to -30 dB


def test_the_floor_of_a_recording_is_that_of_its_quietest_frames(rng):
    x = 0.01 * rng.normal(size=2 * RATE)
    x[8000:24000] += 0.1 * rng.normal(size=16000)
    noise = floor_of(x, RATE, 5000, rng)
    assert len(noise) == 5000
    assert np.std(noise) == pytest.approx(0.01, rel=0.3)
