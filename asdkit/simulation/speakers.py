"""Random speakers and their recording sessions.

Differences between people are drawn once per speaker, effects of day and place once per
session, the sentence for every utterance.
"""

from __future__ import annotations

import numpy as np

from asdkit.simulation.phones import TARGETS, draw_sentence
from asdkit.simulation.sessions import Session, transmit
from asdkit.simulation.voice import NUM_FORMANTS, Speaker, utter


def draw_speaker(rng: np.random.Generator, gender: str | None = None) -> Speaker:
    """Draw a speaker at random.

    Args:
        rng: makes the choices.
        gender: "f" or "m"; None: random.
    """
    if gender is None:
        gender = "fm"[rng.integers(2)]
    female = gender == "f"
    # Peterson and Barney's women have formants 16 % higher than their men.
    tract = (1.16 if female else 1.0) * np.exp(rng.normal(0, 0.04))
    return Speaker(
        gender=gender,
        # Anatomy: the tract as a whole, its parts, its walls and its side branches.
        formant_scale=tract * np.exp(rng.normal(0, 0.03, NUM_FORMANTS)),
        bandwidth_scale=np.exp(rng.normal(0, 0.2)),
        sinus_hz=4500 * tract * np.exp(rng.normal(0, 0.06)),
        nasal_scale=np.exp(rng.normal(0, 0.15)),
        # The voice.
        f0=(205 if female else 118) * np.exp(rng.normal(0, 0.13)),
        jitter=rng.uniform(0.003, 0.015),
        shimmer=rng.uniform(0.02, 0.1),
        open_quotient=rng.uniform(0.45, 0.75) + 0.1 * female,
        tilt_db=rng.uniform(2, 14) + 3 * female,
        breath_db=rng.uniform(-55, -38) + 3 * female,
        # Habits.
        accent_semitones=rng.uniform(1.0, 3.5),
        idiolect=np.exp(rng.normal(0, 0.04, (len(TARGETS), 3))),
        hiss_db=rng.normal(0, 3),
        hiss_scale=np.sqrt(tract) * np.exp(rng.normal(0, 0.08)),
        rate=np.exp(rng.normal(0, 0.12)),
        glide_sec=rng.uniform(0.012, 0.025),
    )


def speak(
    speaker: Speaker,
    session: Session,
    seconds: float,
    rng: np.random.Generator,
    sample_frequency: int = 16000,
) -> np.ndarray:
    """Synthesize a random sentence of a speaker in a session.

    Args:
        speaker: who.
        session: recording session.
        seconds: duration in seconds.
        rng: makes the choices.
        sample_frequency: in Hz.

    Returns:
        (L,) float32 in (-1, 1), L = round(seconds * sample_frequency).

    Raises:
        ValueError: there would be no sample.
    """
    num_samples = round(seconds * sample_frequency)
    if num_samples < 1:
        raise ValueError(f"expected a positive duration, got {seconds} seconds")
    speaker = in_session(speaker, session)
    sentence = draw_sentence(seconds, speaker.rate, rng)
    speech = utter(speaker, sentence, num_samples, rng, sample_frequency)
    return transmit(speech, session, rng, sample_frequency)


def in_session(speaker: Speaker, session: Session) -> Speaker:
    """Change a speaker as effort and a cold do."""
    return speaker._replace(
        f0=speaker.f0 * 2 ** (session.effort / 12),
        tilt_db=max(speaker.tilt_db - 2 * session.effort, 0.0),
        open_quotient=speaker.open_quotient - 0.03 * session.effort,
        formant_scale=speaker.formant_scale * (1 + 0.01 * session.cold),
        rate=speaker.rate * (1 - 0.05 * session.effort),
    )
