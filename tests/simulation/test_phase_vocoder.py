"""The phase vocoder: what changes, what stays."""

import numpy as np
import pytest

from asdkit.simulation.phase_vocoder import SEMITONES, shift_pitch, stretch

FS = 16000


def tone(hz, sec=1.0):
    return np.sin(2 * np.pi * hz * np.arange(round(sec * FS)) / FS)


def peak_of(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return np.argmax(spectrum) * FS / (8 * len(samples))


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.0, 1.1, 1.5])
@pytest.mark.parametrize("hz", [150.0, 1234.5])
def test_duration_changes_pitch_and_loudness_stay(factor, hz):
    longer = stretch(tone(hz), FS, factor)
    assert len(longer) == round(factor * FS)
    inner = longer[1000:-1000]
    assert peak_of(inner) == pytest.approx(hz, abs=1)
    assert np.std(inner) == pytest.approx(np.sqrt(0.5), rel=0.1)


def test_a_factor_of_one_gives_the_input_back(rng):
    x = rng.normal(size=FS)
    np.testing.assert_allclose(stretch(x, FS, 1.0)[600:-600], x[600:-600], atol=1e-9)


def test_pitch_moves_by_the_drawn_semitones_either_way():
    found = []
    for seed in range(12):
        shifted = shift_pitch(tone(400.0), FS, np.random.default_rng(seed))
        assert shifted.shape == (FS,)
        assert shifted.dtype == np.float32
        found.append(12 * np.log2(peak_of(shifted[1000:-1000]) / 400))
    low, high = SEMITONES
    assert all(low - 0.05 < abs(x) < high + 0.05 for x in found)
    assert min(found) < 0 < max(found)


def test_the_generator_decides(spoken):
    first, again, other = (
        shift_pitch(spoken, FS, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
