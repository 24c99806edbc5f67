import numpy as np
import pytest

from asdkit.simulation.replay import LOUDSPEAKERS, play, play_back, replay
from asdkit.simulation.rooms import hear

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


@pytest.mark.parametrize("how", [(None, None), ("A", "C"), ("A", "C", "abc")])
def test_the_generator_decides(spoken, how):
    first, again, other = (
        replay(spoken, FS, np.random.default_rng(seed), *how) for seed in (1, 1, 2)
    )
    assert first.shape == spoken.shape
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_in_an_environment_it_is_heard_twice(rng):
    """Of a click, the echoes of two places in a dead room are more than of one."""
    click = np.zeros(FS, np.float32)
    click[0] = 1
    ratios = []
    for distance in "AC":
        heard = [replay(click, FS, rng, distance, "A", "cac") for _ in range(20)]
        energy = np.mean([np.sum(x[400:] ** 2) / np.sum(x**2) for x in heard])
        ratios.append(energy)
    alone = [hear(click, FS, rng, "cac") for _ in range(20)]
    energy = np.mean([np.sum(x[400:] ** 2) / np.sum(x**2) for x in alone])
    assert energy < ratios[0] < ratios[1]


def test_played_back_it_is_heard_in_one_room_less(rng):
    """Of a click, what is left for the room that a chain adds: fewer echoes."""
    click = np.zeros(FS, np.float32)
    click[0] = 1
    tails = []
    for make in play_back, replay:
        heard = [make(click, FS, np.random.default_rng(seed)) for seed in range(40)]
        tails.append(np.mean([np.sum(x[400:] ** 2) / np.sum(x**2) for x in heard]))
    assert 0 < tails[0] < 0.8 * tails[1]
