"""Durations and pitches of tones and of speech."""

import numpy as np
import pytest

from asdkit.simulation.phase_vocoder import shift_pitch
from asdkit.simulation.pitch import track_pitch
from asdkit.simulation.wsola import stretch

FS = 16000


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_a_tone_keeps_its_frequency(factor):
    tone = np.sin(2 * np.pi * 200 * np.arange(FS) / FS)
    made = stretch(tone, FS, factor)
    assert len(made) == round(factor * FS)
    spectrum = np.abs(np.fft.rfft(made[1000:-1000] * np.hanning(len(made) - 2000), FS))
    assert abs(int(spectrum.argmax()) - 200) <= 1
    assert made[1000:-1000].std() == pytest.approx(np.sqrt(0.5), rel=0.05)


def test_what_is_not_stretched_stays(spoken):
    made = stretch(spoken, FS, 1.0)
    np.testing.assert_allclose(made[400:-800], spoken[400:-800], atol=1e-6)


def test_pitch_moves_by_about_a_semitone(spoken):
    for seed in range(4):
        made = shift_pitch(spoken, FS, np.random.default_rng(seed), stretch)
        assert made.shape == spoken.shape
        before, after = (track_pitch(x, FS, 160) for x in (spoken, made))
        both = (before > 0) & (after > 0)
        semitones = np.median(12 * np.log2(after[both] / before[both]))
        assert 0.3 < abs(semitones) < 1.7
