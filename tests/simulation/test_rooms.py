import numpy as np
import pytest

from asdkit.simulation.rooms import (
    ENVIRONMENTS,
    Acoustics,
    Room,
    draw_room,
    draw_talker,
    hear,
    in_room,
)

FS = 16000


@pytest.fixture
def click():
    samples = np.zeros(FS, np.float32)
    samples[0] = 1
    return samples


@pytest.mark.parametrize("direct_db", [-2.0, 10.0])
def test_a_far_microphone_hears_more_of_the_room(rng, click, direct_db):
    """A click, and what follows it, in decibels."""
    heard = in_room(click, FS, rng, Acoustics(0.3, direct_db))
    ratio = 10 * np.log10(heard[0] ** 2 / np.sum(heard[1:] ** 2))
    assert ratio == pytest.approx(direct_db, abs=0.1)


def test_echoes_fall_by_sixty_decibels_in_the_time_given(rng, click):
    heard = in_room(click, FS, rng, Acoustics(0.5, 0.0))
    powers = np.square(heard[1:8001]).reshape(10, 800).mean(axis=1)
    slope = np.polyfit(np.arange(10) * 0.05, 10 * np.log10(powers), 1)[0]
    assert slope * 0.5 == pytest.approx(-60, abs=5)


def test_twice_as_far_is_six_decibels_less_direct_sound():
    room = Room(8.0, 0.4)
    near, far = room.at(0.5), room.at(1.0)
    assert near.reverberation_sec == far.reverberation_sec == 0.4
    assert near.direct_db - far.direct_db == pytest.approx(20 * np.log10(2))
    assert room.at(0.057 * np.sqrt(20 / 0.4)).direct_db == pytest.approx(0)


def test_there_are_27_environments_each_within_its_bounds(rng):
    assert len(set(ENVIRONMENTS)) == 27
    for _ in range(50):
        room = draw_room("acb", rng)
        assert 2 <= room.area_m2 <= 5
        assert 0.6 <= room.reverberation_sec <= 1.0
        at = draw_talker("acb", room, rng)
        assert room.at(1.0).direct_db <= at.direct_db <= room.at(0.5).direct_db


def test_the_environment_is_heard(rng, click):
    """A click in a small dead room close by, and in a hall from afar."""
    shares = []
    for environment in "aaa", "abb", "ccc":
        heard = [hear(click, FS, rng, environment) for _ in range(20)]
        shares.append(np.mean([x[0] ** 2 / np.sum(x**2) for x in heard]))
    assert shares[0] > shares[1] > shares[2]
    assert heard[0].dtype == np.float32
    assert heard[0].shape == click.shape
