"""Frames of 10 ms, and which of them are not silent."""

import numpy as np
import pytest

from asdkit.base.silence import loud_frames


def test_frames_are_silent_40_db_below_the_loudest(rng):
    gains_db = np.array([-80.0, -39.9, 0.0, -40.1, -20.0])
    tone = np.tile([1.0, -1.0], 80)
    samples = (10 ** (gains_db / 20)[:, None] * tone).ravel()
    frames, energy, loud = loud_frames(np.r_[samples, np.ones(159)], 16000)
    np.testing.assert_array_equal(frames, samples.reshape(5, 160))
    np.testing.assert_allclose(energy, 160 * 10 ** (gains_db / 10))
    assert loud.tolist() == [1, 2, 4]


@pytest.mark.parametrize("length", [1, 7, 80])
def test_what_is_shorter_than_a_frame_is_one(length):
    frames, _, loud = loud_frames(np.ones(length), 8000)
    assert frames.shape == (1, length)
    assert loud.tolist() == [0]


def test_of_digital_silence_no_frame_is_quieter_than_another():
    assert loud_frames(np.zeros(480), 16000)[2].tolist() == [0, 1, 2]
