"""Replay attacks: speech recorded with a hidden microphone and played back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft

from asdkit.simulation.rooms import Acoustics, draw_room, draw_talker, in_room
from asdkit.simulation.sessions import NUM_KNOTS, band_gain, smooth_gain


class Loudspeaker(NamedTuple):
    """A playback device of an attacker.

    Attributes:
        low_hz: lower cutoff in Hz.
        high_hz: upper cutoff in Hz.
        ripple_db: standard deviation of its spectrum.
        drive: drive into saturation; 0 is linear.
    """

    low_hz: float
    high_hz: float
    ripple_db: float
    drive: float


# As in ASVspoof 2019's PA: the first letter of an attack is the distance at which the
# attacker recorded, the second the quality of his loudspeaker.  Distances in an
# environment are the challenge's, and 2 m the farthest; the other values are ours:
# bands as of studio monitors, small boxes and telephones.
DISTANCES_M = {"A": (0.1, 0.5), "B": (0.5, 1.0), "C": (1.0, 2.0)}
DISTANCES_DB = {"A": (10.0, 20.0), "B": (4.0, 10.0), "C": (-2.0, 4.0)}  # direct sound
VERIFIER_DB = (4.0, 12.0)  # where the loudspeaker stands before the microphone
LOUDSPEAKERS = {
    "A": Loudspeaker(40.0, 20_000.0, 0.5, 0.0),
    "B": Loudspeaker(120.0, 10_000.0, 2.0, 0.5),
    "C": Loudspeaker(500.0, 5_000.0, 5.0, 2.0),
}


def replay(
    samples: np.ndarray,
    sample_frequency: int,
    rng: np.random.Generator,
    distance: str | None = None,
    quality: str | None = None,
    environment: str | None = None,
) -> np.ndarray:
    """Record speech in a room and play it, there or in another.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: random generator of rooms and loudspeaker.
        distance: key of `DISTANCES_DB`; None: random.
        quality: key of `LOUDSPEAKERS`; None: random.
        environment: one of `asdkit.simulation.rooms.ENVIRONMENTS`, for recording and
            playback; None for two random rooms.

    Returns:
        (L,) float32, of any level; the echoes of the end are cut off.
    """
    drawn = rng.integers(3, size=2)
    distance = distance or "ABC"[drawn[0]]
    device = LOUDSPEAKERS[quality or "ABC"[drawn[1]]]
    if environment is None:
        recorder = _draw_acoustics(DISTANCES_DB[distance], rng)
    else:
        room = draw_room(environment, rng)
        recorder = room.at(rng.uniform(*DISTANCES_M[distance]))
    recorded = in_room(samples, sample_frequency, rng, recorder)
    played = play(recorded, sample_frequency, device, rng)
    if environment is None:
        verifier = _draw_acoustics(VERIFIER_DB, rng)
    else:
        verifier = draw_talker(environment, room, rng)
    return in_room(played, sample_frequency, rng, verifier)


def play_back(
    samples: np.ndarray, sample_frequency: int, rng: np.random.Generator
) -> np.ndarray:
    """Record speech in a room and play it, in no room: for those who add one to all.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws room, distance and loudspeaker.

    Returns:
        (L,) float32, of any level.
    """
    distance, quality = (list(x)[rng.integers(3)] for x in (DISTANCES_DB, LOUDSPEAKERS))
    recorder = _draw_acoustics(DISTANCES_DB[distance], rng)
    recorded = in_room(samples, sample_frequency, rng, recorder)
    return play(recorded, sample_frequency, LOUDSPEAKERS[quality], rng)


def _draw_acoustics(
    direct_db: tuple[float, float], rng: np.random.Generator
) -> Acoustics:
    """Draw a place in a random room."""
    level = rng.uniform(*direct_db)
    return Acoustics(rng.uniform(0.1, 0.5), level)


def play(
    samples: np.ndarray,
    sample_frequency: int,
    device: Loudspeaker,
    rng: np.random.Generator,
) -> np.ndarray:
    """Play through a loudspeaker: (L,) -> (L,) float32.

    It saturates, in relation to the loudest sample, before it filters.
    """
    peak = float(np.abs(samples).max(initial=0)) or 1.0
    if device.drive:
        pressed = np.tanh(device.drive * samples / peak) / np.tanh(device.drive)
        samples = (peak * pressed).astype(np.float32)
    size = fft.next_fast_len(len(samples) + sample_frequency // 10, real=True)
    frequencies = fft.rfftfreq(size, 1 / sample_frequency).astype(np.float32)
    gain = smooth_gain(rng.normal(0, device.ripple_db, NUM_KNOTS), frequencies)
    gain *= band_gain(device.low_hz, device.high_hz, frequencies)
    return fft.irfft(fft.rfft(samples.astype(np.float32), size) * gain, size)[
        : len(samples)
    ]
