"""Pitch of what has a known one."""

import numpy as np
import pytest

from asdkit.simulation.pitch import cut_frames, track_pitch

FS = 16000


def harmonics(f0, sec=0.6, fs=FS):
    """A buzz whose pitch is given, a number or one for every sample."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(f0, round(sec * fs))) / fs
    return sum(np.sin(k * phase) / k for k in range(1, 15)).astype(np.float32)


@pytest.mark.parametrize("fs", [8000, 16000])
@pytest.mark.parametrize("f0", [70.0, 110.3, 200.0, 421.0])
def test_a_buzz_has_its_pitch(f0, fs):
    found = track_pitch(harmonics(f0, fs=fs), fs, fs // 100)
    assert len(found) == 61
    np.testing.assert_allclose(found[3:-3], f0, rtol=0.005)


def test_a_glide_is_followed():
    f0 = np.linspace(100, 200, round(0.6 * FS))
    found = track_pitch(harmonics(f0), FS, 160)
    np.testing.assert_allclose(found[3:-4], f0[::160][3:-3], rtol=0.02)


def test_noise_and_silence_have_none(rng):
    noise = rng.standard_normal(FS).astype(np.float32)
    assert np.mean(track_pitch(noise, FS, 160) > 0) < 0.05
    assert not track_pitch(np.zeros(FS, np.float32), FS, 160).any()


def test_quiet_noise_after_a_buzz_has_none(rng):
    quiet = 1e-3 * rng.standard_normal(FS // 2).astype(np.float32)
    both = np.concatenate([harmonics(150.0, 0.5), quiet])
    voiced = track_pitch(both, FS, 160) > 0
    assert voiced[3:47].all()
    assert not voiced[55:].any()


def test_one_sample_is_enough():
    assert track_pitch(np.ones(1, np.float32), FS, 160).tolist() == [0, 0]


def test_frames_are_centered():
    frames = cut_frames(np.arange(1, 11), 4, 6)
    assert frames.tolist() == [
        [0, 0, 0, 1, 2, 3],
        [2, 3, 4, 5, 6, 7],
        [6, 7, 8, 9, 10, 0],
        [10, 0, 0, 0, 0, 0],
    ]
