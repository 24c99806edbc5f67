"""Replay: speech that was recorded with a hidden microphone and played again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft

from asdkit.simulation.sessions import (
    NUM_KNOTS,
    band_gain,
    room_response,
    smooth_gain,
)


class Loudspeaker(NamedTuple):
    """A device as an attacker may have.

    Attributes:
        low_hz: where it begins to sound.
        high_hz: where it ends.
        ripple_db: standard deviation of its spectrum.
        drive: how far it is driven into saturation; 0 is linear.
    """

    low_hz: float
    high_hz: float
    ripple_db: float
    drive: float


# As in ASVspoof 2019's PA: the first letter of an attack is the distance at which the
# attacker recorded, the second the quality of his loudspeaker.  The values are ours:
# bands as of studio monitors, small boxes and telephones.
DISTANCES_DB = {"A": (10.0, 20.0), "B": (4.0, 10.0), "C": (-2.0, 4.0)}  # direct sound
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
) -> np.ndarray:
    """Record speech in one room and play it in another.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws rooms and loudspeaker.
        distance: key of `DISTANCES_DB`; None draws one.
        quality: key of `LOUDSPEAKERS`; None draws one.

    Returns:
        (L,) float32, of any level; the echoes of the end are cut off.
    """
    drawn = rng.integers(3, size=2)
    distance = distance or "ABC"[drawn[0]]
    device = LOUDSPEAKERS[quality or "ABC"[drawn[1]]]
    direct_db = rng.uniform(*DISTANCES_DB[distance])
    recorded = in_room(samples, sample_frequency, rng, direct_db)
    played = play(recorded, sample_frequency, device, rng)
    return in_room(played, sample_frequency, rng, rng.uniform(4, 12))


def in_room(
    samples: np.ndarray,
    sample_frequency: int,
    rng: np.random.Generator,
    direct_db: float,
) -> np.ndarray:
    """Let samples sound in a drawn room: (L,) -> (L,) float32.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws the room.
        direct_db: level of the direct sound against that of all echoes.
    """
    sec = rng.uniform(0.1, 0.5)
    response = room_response(sec, direct_db, rng, sample_frequency)
    size = fft.next_fast_len(len(samples) + len(response), real=True)
    heard = fft.rfft(samples.astype(np.float32), size) * fft.rfft(response, size)
    return fft.irfft(heard, size)[: len(samples)]


def play(
    samples: np.ndarray,
    sample_frequency: int,
    device: Loudspeaker,
    rng: np.random.Generator,
) -> np.ndarray:
    """Let a loudspeaker sound: (L,) -> (L,) float32.

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
