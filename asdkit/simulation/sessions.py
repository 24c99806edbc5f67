"""Sessions: a speaker's mood, a room, its noise, a microphone and a line.

They are the nuisance variation of speaker verification: they change from session to
session, not from speaker to speaker.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import fft

NUM_KNOTS = 8  # of a smooth spectrum, equally far apart in mel
TOP_HZ = 8000.0  # where the last knot is


class Session(NamedTuple):
    """A day and a place in which a speaker is recorded.

    Attributes:
        effort: vocal effort, 0 on average; more is higher, brighter and slower.
        cold: how a swollen tract moves the formants, 0 on average.
        reverberation_sec: time in which the echoes fall by 60 dB.
        direct_db: level of the direct sound against that of all echoes.
        snr_db: level of the speech against that of the noise.
        noise_db: (8,) spectrum of the noise.
        line_db: (8,) effect of microphone and line on the spectrum.
        low_hz: lower cutoff of the line in Hz.
        high_hz: upper cutoff of the line in Hz.
        level_db: level of the recording; 0 is that of a full-scale square wave.
    """

    effort: float
    cold: float
    reverberation_sec: float
    direct_db: float
    snr_db: float
    noise_db: np.ndarray
    line_db: np.ndarray
    low_hz: float
    high_hz: float
    level_db: float


def draw_session(rng: np.random.Generator) -> Session:
    """Draw a session: from a quiet studio to a loud hall, wide-band throughout."""
    return Session(
        effort=rng.normal(),
        cold=rng.normal(),
        reverberation_sec=rng.uniform(0.1, 0.4),
        direct_db=rng.uniform(3, 20),
        snr_db=rng.uniform(18, 45),
        noise_db=rng.normal(0, 4, NUM_KNOTS) + np.linspace(20, -20, NUM_KNOTS),
        line_db=rng.normal(0, 4, NUM_KNOTS),
        low_hz=rng.uniform(50, 250),
        high_hz=rng.uniform(5000, 8000),
        level_db=rng.uniform(-38, -24),
    )


def transmit(
    speech: np.ndarray,
    session: Session,
    rng: np.random.Generator,
    sample_frequency: int = 16000,
) -> np.ndarray:
    """Bring speech from the lips to the file: room, noise, line, level.

    Args:
        speech: (L,); of silence, only the noise remains.
        session: where.
        rng: draws the echoes and the noise, which no two utterances share.
        sample_frequency: in Hz.

    Returns:
        (L,) float32 in (-1, 1).
    """
    room = room_response(
        session.reverberation_sec, session.direct_db, rng, sample_frequency
    )
    size = fft.next_fast_len(len(speech) + len(room), real=True)
    frequencies = fft.rfftfreq(size, 1 / sample_frequency).astype(np.float32)
    heard = fft.rfft(speech, size) * fft.rfft(room, size)  # (F,)
    noise = fft.rfft(rng.standard_normal(len(speech), np.float32), size)
    noise *= smooth_gain(session.noise_db, frequencies)
    loudness = max(_rms(heard), 1e-9) / _rms(noise)
    heard += noise * loudness * 10 ** (-session.snr_db / 20)
    heard *= smooth_gain(session.line_db, frequencies)
    heard *= band_gain(session.low_hz, session.high_hz, frequencies)
    samples = fft.irfft(heard, size)[: len(speech)]
    gain = 10 ** (session.level_db / 20) / _rms(samples)
    return (samples * min(gain, 0.99 / np.abs(samples).max())).astype(np.float32)


def room_response(
    reverberation_sec: float,
    direct_db: float,
    rng: np.random.Generator,
    sample_frequency: int = 16000,
) -> np.ndarray:
    """Draw an impulse response: the direct sound, then decaying noise.

    Args:
        reverberation_sec: time of decay by 60 dB.
        direct_db: energy of the direct sound relative to the rest.
        rng: draws the noise.
        sample_frequency: in Hz.

    Returns:
        (L,) float32, of which the first sample is 1.

    Source: J. Moorer, "About this reverberation business", Computer Music
    Journal 3, 1979.
    """
    num_samples = max(round(reverberation_sec * sample_frequency), 2)
    decay = 1e-3 ** (np.arange(num_samples) / num_samples)
    response = rng.standard_normal(num_samples, np.float32) * decay
    response[0] = 0
    response *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(response**2))
    response[0] = 1
    return response.astype(np.float32)


def smooth_gain(knots_db: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Interpolate a spectrum in dB between knots: (K,), (F,) in Hz -> (F,) factors."""
    knots = np.linspace(0, _mel(TOP_HZ), len(knots_db))
    gain = 10 ** (np.interp(_mel(frequencies), knots, knots_db) / 20)
    return gain.astype(np.float32)


def band_gain(low_hz: float, high_hz: float, frequencies: np.ndarray) -> np.ndarray:
    """Compute a band-pass gain, 12 dB per octave below and 48 above: (F,) -> (F,)."""
    outside = (low_hz / np.maximum(frequencies, 1)) ** 4 + (frequencies / high_hz) ** 16
    return 1 / np.sqrt(1 + outside)


def _mel(frequencies: np.ndarray | float) -> Any:
    """Convert Hz to mel, as Kaldi does."""
    return 1127 * np.log1p(frequencies / 700)


def _rms(values: np.ndarray) -> float:
    """Root of the mean square; not by BLAS, whose sums depend on the machine."""
    return float(np.sqrt(np.mean(np.abs(values) ** 2)))
