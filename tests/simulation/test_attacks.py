"""All attacks, one after the other."""

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.simulation.attacks import ATTACKS, MAX_PEAK, MIN_SEC, Material, match_level

FS = 16000


@pytest.fixture
def material(spoken, others_speech):
    return Material(spoken, FS, "HELLO WORLD", "f", others_speech)


def installed(name):
    """Skip what needs something that is optional."""
    try:
        ATTACKS[name].check()
    except AsdkitError as error:
        pytest.skip(str(error))
    return ATTACKS[name]


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_as_loud_as_its_victim_and_repeatable(name, material):
    attack = installed(name)
    spoof, again = (attack(material, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(spoof, again)
    assert spoof.dtype == np.float32
    assert np.abs(spoof).max() <= MAX_PEAK + 1e-6
    if np.abs(spoof).max() < 0.98:
        power = np.mean(spoof**2) / np.mean(material.samples**2)
        assert power == pytest.approx(1, rel=1e-3)
    if not attack.needs_text:  # a synthesizer has its own tempo
        assert len(spoof) == len(material.samples)


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("level", [0.0, 0.1])
def test_silence_and_the_shortest_utterance_are_possible(name, level, rng):
    attack = installed(name)
    size = round(MIN_SEC * FS)
    samples, other = level * rng.standard_normal((2, size)).astype(np.float32)
    spoof = attack(Material(samples, FS, "HI", None, other), rng)
    assert np.isfinite(spoof).all()
    if not attack.needs_text:
        assert len(spoof) == size


def test_what_would_clip_gets_less(rng):
    loud = np.sign(rng.standard_normal(1000))
    spiky = np.zeros(1000)
    spiky[::100] = 1
    assert np.abs(match_level(spiky, loud)).max() == pytest.approx(MAX_PEAK)
    assert match_level(0.01 * loud, 0.5 * loud) == pytest.approx(0.5 * loud)
    assert not match_level(np.zeros(5), loud).any()
