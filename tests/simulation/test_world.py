"""WORLD, where it is installed."""

import sys

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.simulation.pitch import track_pitch
from asdkit.simulation.world import world_convert, world_copy

FS = 16000


@pytest.fixture
def _pyworld():
    pytest.importorskip("pyworld", reason="an extra")


def pitch(samples):
    f0 = track_pitch(samples, FS, 160)
    return np.median(f0[f0 > 0])


@pytest.mark.usefixtures("_pyworld")
def test_a_copy_has_length_and_pitch_of_the_original(spoken):
    copy = world_copy(spoken, FS)
    assert copy.shape == spoken.shape
    assert copy.dtype == np.float32
    assert pitch(copy) == pytest.approx(pitch(spoken), rel=0.03)


@pytest.mark.usefixtures("_pyworld")
def test_a_converted_utterance_has_the_pitch_of_the_target(spoken, others_speech):
    """It is as long as what is said, and speaks with the target's voice."""
    converted = world_convert(others_speech[:14000], spoken, FS)
    assert converted.shape == (14000,)
    assert pitch(others_speech) < 0.8 * pitch(spoken)
    assert pitch(converted) == pytest.approx(pitch(spoken), rel=0.15)


@pytest.mark.usefixtures("_pyworld")
def test_without_any_voice_nothing_fails(rng):
    noise = 0.1 * rng.standard_normal(8000).astype(np.float32)
    silence = np.zeros(8000, np.float32)
    for samples, target in (noise, silence), (silence, noise):
        assert np.isfinite(world_convert(samples, target, FS)).all()


def test_without_pyworld_the_cure_is_said(monkeypatch, spoken):
    monkeypatch.setitem(sys.modules, "pyworld", None)
    with pytest.raises(AsdkitError, match="pyworld is not installed") as raised:
        world_copy(spoken, FS)
    assert "asdkit[spoof]" in raised.value.hint
