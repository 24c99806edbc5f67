"""WORLD analysis and synthesis: pitch, envelope, aperiodicity.

Source: M. Morise, F. Yokomori and K. Ozawa, "WORLD: a vocoder-based high-quality
speech synthesis system for real-time applications", IEICE Trans. E99-D, 2016.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import fft

from asdkit.base.packages import require

FRAME_PERIOD = 5.0  # ms
NUM_CEPS = 25  # coefficients of a smooth envelope: vocal tract and channel


class World(NamedTuple):
    """WORLD's parameters of speech.

    Attributes:
        f0: (T,) Hz, 0 where there is no voice.
        envelope: (T, F) power.
        aperiodicity: (T, F) share of noise in the amplitude.
    """

    f0: np.ndarray
    envelope: np.ndarray
    aperiodicity: np.ndarray


def world_analyze(samples: np.ndarray, sample_frequency: int) -> World:
    """Analyze speech: (L,) -> `World`."""
    pyworld = import_pyworld()
    wave = samples.astype(np.float64)
    # Harvest finds more voice, but takes longer than all the rest together.
    raw, times = pyworld.dio(wave, sample_frequency, frame_period=FRAME_PERIOD)
    f0 = pyworld.stonemask(wave, raw, times, sample_frequency)
    envelope = pyworld.cheaptrick(wave, f0, times, sample_frequency)
    aperiodicity = pyworld.d4c(wave, f0, times, sample_frequency)
    return World(f0, envelope, aperiodicity)


def world_synthesize(
    parameters: World, num_samples: int, sample_frequency: int
) -> np.ndarray:
    """Synthesize speech: `World` -> (L,) float32."""
    wave = import_pyworld().synthesize(*parameters, sample_frequency, FRAME_PERIOD)
    fitted = np.zeros(num_samples, dtype=np.float32)
    fitted[: len(wave)] = wave[:num_samples]
    return fitted


def world_copy(samples: np.ndarray, sample_frequency: int) -> np.ndarray:
    """Analyze and resynthesize speech: (L,) -> (L,) float32.

    Raises:
        AsdkitError: pyworld is not installed.
    """
    parameters = world_analyze(samples, sample_frequency)
    return world_synthesize(parameters, len(samples), sample_frequency)


def world_convert(
    samples: np.ndarray, target: np.ndarray, sample_frequency: int
) -> np.ndarray:
    """Convert speech to another speaker's voice.

    Pitch gets the mean and the spread of the target's, on a logarithmic scale; the
    smooth part of the average envelope of voiced frames becomes the target's.

    Args:
        samples: (L,) what is said.
        target: (L',) an utterance of the target speaker.
        sample_frequency: of both, in Hz.

    Returns:
        (L,) float32.

    Raises:
        AsdkitError: pyworld is not installed.
    """
    source = world_analyze(samples, sample_frequency)
    wanted = world_analyze(target, sample_frequency)
    voiced = source.f0 > 0
    f0 = source.f0.copy()
    if voiced.any() and (wanted.f0 > 0).any():
        old, new = np.log(f0[voiced]), np.log(wanted.f0[wanted.f0 > 0])
        spread = new.std() / max(float(old.std()), 0.01)
        f0[voiced] = np.exp(new.mean() + spread * (old - old.mean()))
    shift = _smooth_mean(wanted) - _smooth_mean(source)  # (F,) log power
    converted = source._replace(f0=f0, envelope=source.envelope * np.exp(shift))
    return world_synthesize(converted, len(samples), sample_frequency)


def _smooth_mean(parameters: World) -> np.ndarray:
    """Average log envelope of the voiced frames, all if there is none: (F,)."""
    voiced = parameters.f0 > 0
    chosen = parameters.envelope[voiced] if voiced.any() else parameters.envelope
    cepstrum = fft.dct(np.log(chosen).mean(axis=0), type=1)
    cepstrum[NUM_CEPS:] = 0
    return fft.idct(cepstrum, type=1)


def import_pyworld() -> Any:
    """Import pyworld, which asdkit does not require.

    Raises:
        AsdkitError: it is not installed.
    """
    return require("pyworld", "pip install 'asdkit[spoof]'")
