import numpy as np
import pytest

from asdkit.simulation.replay import LOUDSPEAKERS, in_room, play, replay

FS = 16000


def level_db(samples, low, high):
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / FS)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].sum())


def test_the_worse_the_loudspeaker_the_narrower_its_band(rng):
    noise = rng.standard_normal(2 * FS).astype(np.float32)
    lost = []
    for quality in "ABC":
        device = LOUDSPEAKERS[quality]._replace(ripple_db=0.0)
        played = play(noise, FS, device, rng)
        middle = level_db(played, 1000, 3000) - level_db(noise, 1000, 3000)
        outside = [
            middle - (level_db(played, *band) - level_db(noise, *band))
            for band in ((50, 100), (6500, 8000))
        ]
        lost.append(sum(outside))
    assert 0 < lost[0] < lost[1] < lost[2]
    assert lost[0] < 3


def test_only_a_cheap_loudspeaker_distorts(rng):
    """The third harmonic of a tone, against the tone."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(FS) / FS).astype(np.float32)
    harmonic = []
    for quality in "ABC":
        played = play(tone, FS, LOUDSPEAKERS[quality]._replace(ripple_db=0.0), rng)
        harmonic.append(level_db(played, 2990, 3010) - level_db(played, 990, 1010))
    assert harmonic[0] < -50 < harmonic[1] < -20
    assert harmonic[1] < harmonic[2]


def test_a_far_microphone_hears_more_of_the_room(rng):
    """A click, and what follows it, in decibels."""
    click = np.zeros(FS, np.float32)
    click[0] = 1
    for direct_db in -2.0, 10.0:
        heard = in_room(click, FS, rng, direct_db)
        ratio = 10 * np.log10(heard[0] ** 2 / np.sum(heard[1:] ** 2))
        assert ratio == pytest.approx(direct_db, abs=0.1)


@pytest.mark.parametrize(("distance", "quality"), [(None, None), ("A", "C")])
def test_the_generator_decides(spoken, distance, quality):
    first, again, other = (
        replay(spoken, FS, np.random.default_rng(seed), distance, quality)
        for seed in (1, 1, 2)
    )
    assert first.shape == spoken.shape
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
