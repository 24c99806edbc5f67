"""Attacks that asdkit can make: their requirements and outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from asdkit.simulation import wsola
from asdkit.simulation.griffin_lim import griffin_lim
from asdkit.simulation.homomorphic import cepstral_vocode
from asdkit.simulation.lpc import lpc_vocode
from asdkit.simulation.neural_speech import import_piper, piper
from asdkit.simulation.phase_noise import disturb_phases
from asdkit.simulation.phase_vocoder import shift_pitch
from asdkit.simulation.replay import DISTANCES_DB, LOUDSPEAKERS, play_back, replay
from asdkit.simulation.text_to_speech import (
    HTS_VOICE,
    check_festival,
    espeak,
    festival,
    find_program,
    flite,
)
from asdkit.simulation.world import import_pyworld, world_convert, world_copy

MIN_SEC = 0.1  # of what a vocoder can take apart
MAX_PEAK = 0.99


class Material(NamedTuple):
    """Material available to an attacker.

    Attributes:
        samples: (L,) float32, an utterance of the person to be imitated.
        sample_frequency: in Hz.
        text: text to be said; empty where unknown.
        gender: "f" or "m"; None where unknown.
        other: (L',) float32, speech of another person, at the same rate; empty where
            the attack needs none.
        environment: environment of a replay, from `asdkit.simulation.rooms`; None for
            any.
    """

    samples: np.ndarray
    sample_frequency: int
    text: str = ""
    gender: str | None = None
    other: np.ndarray = np.zeros(0, np.float32)
    environment: str | None = None


@dataclass(frozen=True)
class Attack:
    """A way to make spoofed speech.

    Args:
        make: material and a generator -> (L,) samples of any level.
        needs_text: whether it reads a text; a voice is then drawn per speaker.
        needs_other: whether it converts another person's speech.
        in_room: whether it takes place in a room, and so in an environment.
        check: raises an AsdkitError if something it needs is not installed.
    """

    make: Callable[[Material, np.random.Generator], np.ndarray]
    needs_text: bool = False
    needs_other: bool = False
    in_room: bool = False
    check: Callable[[], object] = lambda: None

    def __call__(self, material: Material, rng: np.random.Generator) -> np.ndarray:
        """Attack: (L,) float32, as loud as the person imitated, without clipping.

        Raises:
            AsdkitError: something it needs is not installed, or fails.
        """
        return match_level(self.make(material, rng), material.samples)


def match_level(samples: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Give samples the power of others, or less if they would clip: (L,) -> (L,)."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    if power == 0:
        return samples.astype(np.float32)
    gain = np.sqrt(np.mean(np.square(model, dtype=np.float64)) / power)
    gain = min(gain, MAX_PEAK / float(np.abs(samples).max()))
    return (gain * samples).astype(np.float32)


def _replay_of(distance: str | None, quality: str | None) -> Attack:
    """Make a replay attack of a kind; None draws it."""

    def make(x: Material, rng: np.random.Generator) -> np.ndarray:
        how = rng, distance, quality, x.environment
        return replay(x.samples, x.sample_frequency, *how)

    return Attack(make, in_room=True)


def _vocoder(make: Callable[[np.ndarray, int], np.ndarray]) -> Attack:
    """Make an attack of a vocoder that draws nothing."""
    return Attack(lambda x, rng: make(x.samples, x.sample_frequency))


def _drawn(
    make: Callable[[np.ndarray, int, np.random.Generator], np.ndarray],
) -> Attack:
    """Make an attack of a vocoder that draws something."""
    return Attack(lambda x, rng: make(x.samples, x.sample_frequency, rng))


ATTACKS = {
    "griffin_lim": _vocoder(griffin_lim),
    "griffin_lim_40": _vocoder(partial(griffin_lim, num_mels=40)),
    "griffin_lim_linear": _vocoder(partial(griffin_lim, num_mels=0)),
    "lpc": _drawn(lpc_vocode),
    "cepstral": _drawn(cepstral_vocode),
    "phase_vocoder": _drawn(shift_pitch),
    "wsola": _drawn(partial(shift_pitch, stretch=wsola.stretch)),
    "phase_noise": _drawn(disturb_phases),
    "world": Attack(
        lambda x, rng: world_copy(x.samples, x.sample_frequency), check=import_pyworld
    ),
    "world_vc": Attack(
        lambda x, rng: world_convert(x.other, x.samples, x.sample_frequency),
        needs_other=True,
        check=import_pyworld,
    ),
    "espeak": Attack(
        lambda x, rng: espeak(x.text, x.gender, x.sample_frequency, rng),
        needs_text=True,
        check=partial(find_program, "espeak-ng"),
    ),
    "flite": Attack(
        lambda x, rng: flite(x.text, x.gender, x.sample_frequency, rng),
        needs_text=True,
        check=partial(find_program, "flite"),
    ),
    "festival": Attack(
        lambda x, rng: festival(x.text, x.sample_frequency, rng),
        needs_text=True,
        check=check_festival,
    ),
    "festival_hts": Attack(
        lambda x, rng: festival(x.text, x.sample_frequency, rng, HTS_VOICE),
        needs_text=True,
        check=partial(check_festival, HTS_VOICE),
    ),
    "piper": Attack(
        lambda x, rng: piper(x.text, x.sample_frequency, rng),
        needs_text=True,
        check=import_piper,
    ),
    "playback": _drawn(play_back),
    "replay": _replay_of(None, None),
    **{
        f"replay_{distance}{quality}": _replay_of(distance, quality)
        for distance, quality in product(DISTANCES_DB, LOUDSPEAKERS)
    },
}
