"""What is kept when phases are disturbed."""

import numpy as np

from asdkit.simulation import phase_noise
from asdkit.simulation.phase_noise import disturb_phases

FS = 16000


def test_phases_change_and_magnitudes_hardly(spoken, rng):
    made = disturb_phases(spoken, FS, rng)
    assert made.shape == spoken.shape
    assert 0.2 < np.corrcoef(made, spoken)[0, 1] < 0.97
    frames = [np.reshape(x[:FS], (100, -1)) for x in (made, spoken)]
    before, after = (np.log(np.std(x, axis=1) + 1e-3) for x in frames)
    assert np.corrcoef(before, after)[0, 1] > 0.9


def test_without_noise_nothing_changes(spoken, rng, monkeypatch):
    monkeypatch.setattr(phase_noise, "RADIANS", (0, 0))
    np.testing.assert_allclose(disturb_phases(spoken, FS, rng), spoken, atol=1e-6)
