"""Room simulation: a microphone near a talker or a loudspeaker."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import fft

from asdkit.simulation.sessions import room_response

# The three letters of an environment of ASVspoof 2019's PA: size of the room,
# reverberation time, distance from the talker to the microphone.
AREAS_M2 = {"a": (2.0, 5.0), "b": (5.0, 10.0), "c": (10.0, 20.0)}
REVERBERATION_SEC = {"a": (0.05, 0.2), "b": (0.2, 0.6), "c": (0.6, 1.0)}
DISTANCES_M = {"a": (0.1, 0.5), "b": (0.5, 1.0), "c": (1.0, 1.5)}
ENVIRONMENTS = tuple("".join(letters) for letters in product("abc", repeat=3))
HEIGHT_M = 2.5  # of all rooms; the challenge does not say


class Acoustics(NamedTuple):
    """The acoustics of a place in a room.

    Attributes:
        reverberation_sec: time in which the echoes decay by 60 dB.
        direct_db: level of the direct sound against that of all echoes.
    """

    reverberation_sec: float
    direct_db: float


class Room(NamedTuple):
    """A room with diffuse echoes.

    Attributes:
        area_m2: floor area.
        reverberation_sec: time in which its echoes decay by 60 dB.
    """

    area_m2: float
    reverberation_sec: float

    def at(self, distance_m: float) -> Acoustics:
        """Stand at a distance from the source.

        Source: H. Kuttruff, "Room acoustics", 5.1: direct sound and echoes are level
        at 0.057 times the root of volume (m3) over reverberation time (s).
        """
        volume = self.area_m2 * HEIGHT_M
        level_m = 0.057 * np.sqrt(volume / self.reverberation_sec)
        return Acoustics(self.reverberation_sec, 20 * np.log10(level_m / distance_m))


def draw_room(environment: str, rng: np.random.Generator) -> Room:
    """Draw a room of one of `ENVIRONMENTS`."""
    area = rng.uniform(*AREAS_M2[environment[0]])
    return Room(area, rng.uniform(*REVERBERATION_SEC[environment[1]]))


def draw_talker(environment: str, room: Room, rng: np.random.Generator) -> Acoustics:
    """Draw the place of the talker, or of the loudspeaker, in a room."""
    return room.at(rng.uniform(*DISTANCES_M[environment[2]]))


def hear(
    samples: np.ndarray,
    sample_frequency: int,
    rng: np.random.Generator,
    environment: str,
) -> np.ndarray:
    """Reverberate a talker in an environment: (L,) -> (L,) float32, at any level.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: random generator of the room and the talker's place.
        environment: one of `ENVIRONMENTS`.
    """
    acoustics = draw_talker(environment, draw_room(environment, rng), rng)
    return in_room(samples, sample_frequency, rng, acoustics)


def in_room(
    samples: np.ndarray,
    sample_frequency: int,
    rng: np.random.Generator,
    acoustics: Acoustics,
) -> np.ndarray:
    """Reverberate samples in a room: (L,) -> (L,) float32; the tail is cut off.

    Args:
        samples: (L,).
        sample_frequency: in Hz.
        rng: draws the echoes.
        acoustics: of the place.
    """
    response = room_response(*acoustics, rng, sample_frequency)
    size = fft.next_fast_len(len(samples) + len(response), real=True)
    heard = fft.rfft(samples.astype(np.float32), size) * fft.rfft(response, size)
    return fft.irfft(heard, size)[: len(samples)]
