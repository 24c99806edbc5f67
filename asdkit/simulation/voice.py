"""A voice: anatomy and habits, and the sound they give to a sentence.

The articulators glide from target to target; the glottis pulses and breathes; the
vocal tract, a new one every 8 ms, filters that; constrictions add their hiss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d

from asdkit.simulation.phones import TARGETS, Sentence, Target
from asdkit.simulation.source_filter import (
    analyze,
    band,
    cascade,
    glottal_spectrum,
    pulse_train,
    section,
    synthesize,
)

HOP_SEC = 0.008  # from one vocal tract to the next
STEP_SEC = 0.002  # from point to point of a movement
# The fourth and higher formants of a uniform tube of 17.5 cm, an average man's.
UPPER_FORMANTS = np.array([3500.0, 4500.0, 5500.0, 6500.0])
NUM_FORMANTS = 3 + len(UPPER_FORMANTS)
# Strengths that make levels lifelike, against glottal pulses as strong as white
# noise of level 0 dB before the glottis softens them.
ASPIRATION_DB = -26.0
FRICATION_DB = -16.0


class Speaker(NamedTuple):
    """One person's anatomy, voice and habits.

    Attributes:
        gender: "f" or "m".
        formant_scale: (7,) formants against an average man's; a tract shorter by a
            tenth raises all of them by about a tenth.
        idiolect: (S, 3) the first three formants of every row of `TARGETS`, against
            what everyone else aims at.
        bandwidth_scale: damping of the resonances, 1 on average.
        sinus_hz: antiresonance of the piriform sinuses, 4 to 5 kHz.
        nasal_scale: where the nose has its antiresonances, 1 on average.
        f0: average fundamental frequency in Hz.
        accent_semitones: what an accent of 1 adds.
        jitter: standard deviation of a period, relative to it.
        shimmer: standard deviation of a pulse's strength, relative to it.
        open_quotient: part of the period in which the glottis is open.
        tilt_db: what the soft closure of the glottis takes away at 3 kHz.
        breath_db: noise that leaks through the open glottis, against the pulses.
        hiss_db: strength of fricatives and bursts, 0 on average.
        hiss_scale: where their noise lies, 1 on average.
        rate: tempo, 1 on average.
        glide_sec: time constant of the articulators.
    """

    gender: str
    formant_scale: np.ndarray
    idiolect: np.ndarray
    bandwidth_scale: float
    sinus_hz: float
    nasal_scale: float
    f0: float
    accent_semitones: float
    jitter: float
    shimmer: float
    open_quotient: float
    tilt_db: float
    breath_db: float
    hiss_db: float
    hiss_scale: float
    rate: float
    glide_sec: float


class Gestures(NamedTuple):
    """Movements of the articulators: P points, ``STEP_SEC`` apart.

    Attributes:
        f0: (P,) Hz.
        formants: (P, 7) Hz.
        voicing: (P,) strength of the glottal pulses.
        aspiration: (P,) strength of the noise at the glottis.
        frication: (P,) strength of the noise at a constriction.
        noise_hz: (P,) center of that noise.
        noise_width: (P,) its bandwidth in Hz.
        zero_hz: (P,) antiresonance of nasals.
        nasality: (P,) 1 while the nose is open, else 0.
    """

    f0: np.ndarray
    formants: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    noise_hz: np.ndarray
    noise_width: np.ndarray
    zero_hz: np.ndarray
    nasality: np.ndarray


def utter(
    speaker: Speaker,
    sentence: Sentence,
    num_samples: int,
    rng: np.random.Generator,
    sample_frequency: int = 16000,
) -> np.ndarray:
    """Speak a sentence into a perfect microphone.

    Args:
        speaker: who.
        sentence: sentence to speak; it ends with the last sample.
        num_samples: L.
        rng: draws noise and irregularities.
        sample_frequency: in Hz.

    Returns:
        (L,) float32 sound pressure, without unit.
    """
    gestures = articulate(speaker, sentence, num_samples / sample_frequency)
    flow = phonate(speaker, gestures, num_samples, rng, sample_frequency)
    hop = round(HOP_SEC * sample_frequency)
    spectra = analyze(flow, hop)
    num_frames, num_bins = spectra.shape
    now = np.arange(num_frames) * (hop / sample_frequency / STEP_SEC)
    now = np.minimum(now.round().astype(np.int64), len(gestures.f0) - 1)
    frames = Gestures(*(track[now] for track in gestures))
    spectra *= tract_response(speaker, frames, num_bins, sample_frequency)

    hisses = np.flatnonzero(frames.frication > 1e-3)
    noise = rng.standard_normal(num_samples, np.float32)
    strength = 10 ** ((FRICATION_DB + speaker.hiss_db) / 20) * gestures.frication
    noise *= _per_sample(strength, num_samples, sample_frequency)
    frequencies = np.linspace(0, sample_frequency / 2, num_bins)
    spectra[hisses] += analyze(noise, hop)[hisses] * band(
        frequencies,
        frames.noise_hz[hisses] * speaker.hiss_scale,
        frames.noise_width[hisses],
    )
    return synthesize(spectra, hop, num_samples)


def articulate(speaker: Speaker, sentence: Sentence, sec: float) -> Gestures:
    """Move smoothly from target to target, for ``sec`` seconds."""
    times = np.arange(0, sec + STEP_SEC, STEP_SEC)
    segments = np.searchsorted(sentence.ends, times, side="right")
    segments = np.minimum(segments, len(sentence.ends) - 1)
    rows = sentence.targets[segments]  # (P,)
    aim = dict(zip(Target._fields, TARGETS[rows].T, strict=True))  # of (P,)

    accents = _smooth(sentence.accents[segments], 0.05)
    lower = np.stack([aim["f1"], aim["f2"], aim["f3"]], axis=1)  # (P, 3)
    lower = np.log(lower * speaker.idiolect[rows])
    lower = np.exp(_smooth(lower, speaker.glide_sec))
    upper = np.broadcast_to(UPPER_FORMANTS, (len(rows), len(UPPER_FORMANTS)))
    is_nasal = aim["zero_hz"] > 0
    return Gestures(
        f0=speaker.f0 * 2 ** (speaker.accent_semitones * accents / 12),
        formants=np.hstack([lower, upper]) * speaker.formant_scale,
        voicing=_smooth(aim["voicing"], 0.012),
        aspiration=_smooth(aim["aspiration"], 0.008),
        frication=_smooth(aim["frication"], 0.005),
        noise_hz=aim["noise_hz"],
        noise_width=aim["noise_width"],
        zero_hz=np.where(is_nasal, aim["zero_hz"], 1000.0),
        nasality=_smooth(is_nasal.astype(np.float64), 0.008),
    )


def _smooth(track: np.ndarray, sec: float) -> np.ndarray:
    """Low-pass a movement, (P,) or (P, X), by a Gaussian of that standard deviation."""
    return gaussian_filter1d(track, sec / STEP_SEC, axis=0, mode="nearest")


def _per_sample(
    track: np.ndarray, num_samples: int, sample_frequency: int
) -> np.ndarray:
    """Interpolate a movement: (P,) -> (L,)."""
    places = np.arange(num_samples) / (sample_frequency * STEP_SEC)
    return np.interp(places, np.arange(len(track)), track)


def phonate(
    speaker: Speaker,
    gestures: Gestures,
    num_samples: int,
    rng: np.random.Generator,
    sample_frequency: int,
) -> np.ndarray:
    """Synthesize the source: glottal pulses and breath, (L,) float32."""
    phase = np.cumsum(gestures.f0) * STEP_SEC  # in periods
    beats = np.arange(1, phase[-1])
    steps = np.interp(beats, phase, np.arange(len(phase)))  # when, in steps
    f0 = np.interp(steps, np.arange(len(phase)), gestures.f0)
    strength = np.interp(steps, np.arange(len(phase)), gestures.voicing)
    strength *= np.sqrt(sample_frequency / f0)  # as strong as noise of level 0 dB
    strength *= 1 + speaker.shimmer * rng.standard_normal(len(beats))
    times = steps * STEP_SEC + speaker.jitter * rng.standard_normal(len(beats)) / f0
    pulses = pulse_train(times * sample_frequency, strength, num_samples)

    # One filter for all pulses; the padding takes what wraps around.
    size = fft.next_fast_len(num_samples + sample_frequency // 20, real=True)
    frequencies = fft.rfftfreq(size, 1 / sample_frequency)
    shape = glottal_spectrum(
        frequencies, speaker.f0, speaker.open_quotient, speaker.tilt_db
    )
    spectrum = fft.rfft(pulses, size) * shape.astype(np.complex64)
    voice = fft.irfft(spectrum, size)[:num_samples]

    # Breath is strongest when the glottis is about to close.
    cycle = _per_sample(phase, num_samples, sample_frequency)
    leak = 10 ** (speaker.breath_db / 20) * (1 + np.cos(2 * np.pi * cycle))
    leak *= _per_sample(gestures.voicing, num_samples, sample_frequency)
    aspiration = 10 ** (ASPIRATION_DB / 20) * gestures.aspiration
    leak += _per_sample(aspiration, num_samples, sample_frequency)
    breath = leak * rng.standard_normal(num_samples, np.float32)
    return (voice + breath).astype(np.float32)


def tract_response(
    speaker: Speaker, frames: Gestures, num_bins: int, sample_frequency: int
) -> np.ndarray:
    """Compute the frequency response of the vocal tract.

    Args:
        speaker: speaker with the vocal tract.
        frames: the gestures at T moments.
        num_bins: F, from zero to the Nyquist frequency.
        sample_frequency: in Hz.

    Returns:
        (T, F) complex.
    """
    # About Klatt's nominal bandwidths: 50 Hz at the bottom, 200 at 4 kHz.
    widths = (40 + 0.04 * frames.formants) * speaker.bandwidth_scale  # (T, 7)
    widths[:, 0] *= 1 + frames.nasality
    poles = section(frames.formants, widths, sample_frequency)  # (T, 7, 3)
    # A narrow antiresonance and a wide resonance at one place: a notch.
    centers = np.empty((len(widths), 2))
    centers[:, 0] = frames.zero_hz * speaker.nasal_scale
    centers[:, 1] = speaker.sinus_hz
    depth = np.full_like(centers, 2 / 3)
    depth[:, 0] = frames.nasality
    wide = np.full_like(centers, 800.0)
    zeros = section(centers, wide / 8**depth, sample_frequency)
    poles = np.concatenate([poles, section(centers, wide, sample_frequency)], axis=1)
    above = cascade(zeros, num_bins).astype(np.complex64)
    return above / cascade(poles, num_bins).astype(np.complex64)
