"""Read one voice from a sound file for a decision about it: clear answers, no guesses.

Any rate and format that `asdkit.io.audio` reads.  Of several channels one is chosen, or
all are the same; two people in two channels are no voice.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import DataError
from asdkit.inference.recordings import (
    read_recording,
    require_full_scale,
    require_rate,
)
from asdkit.io.audio import open_audio, open_content, read_samples
from asdkit.io.levels import CLIPPED, FULL_SCALE, STEP
from asdkit.io.resampling import resample
from asdkit.vad.energy import energy_vad

logger = logging.getLogger(__name__)

FRAME_SEC, SHIFT_SEC = 0.025, 0.010
SCALE = 32768.0  # of Kaldi's log energies
EPSILON = 1.2e-7
# Kaldi's decision about frames, with its neighbors asked; see `energy_vad`.
THRESHOLD, MEAN_SCALE, CONTEXT, SHARE = 5.5, 0.5, 2, 0.6
WIDE_BAND = 16000
ONLY = "only its first"


class TooLittleSpeech(DataError):
    """Report that a recording is sound, but has too little speech for a decision."""


@dataclass(frozen=True)
class SoundFile:
    """A sound file in memory, e.g. one that was uploaded.

    Attributes:
        name: its name, for messages.
        content: its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True)
class Voice:
    """One channel of a recording.

    Attributes:
        name: for messages.
        samples: (L,) float32 at the model's rate, those that are used.
        total_sec: seconds in the recording.
        speech_sec: seconds of `samples` that are louder than their pauses.
        notes: what makes a decision about it less certain.
    """

    name: str
    samples: np.ndarray
    total_sec: float
    speech_sec: float
    notes: tuple[str, ...] = ()


def find_speech(samples: np.ndarray, sampling_rate: int) -> float:
    """Count the seconds of (L,) samples that are louder than the pauses.

    By energy alone: steady noise counts as speech, silence does not.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> pause, tone = np.zeros(16000), rng.normal(0, 0.1, 16000)
        >>> round(find_speech(np.concatenate([pause, tone]), 16000), 1)
        1.0
        >>> find_speech(pause, 16000)
        0.0
    """
    size, shift = round(FRAME_SEC * sampling_rate), round(SHIFT_SEC * sampling_rate)
    if len(samples) < size:
        return 0.0
    x = SCALE * samples.astype(np.float64)
    x -= x.mean()
    sums = np.concatenate([[0.0], np.cumsum(x * x)])
    starts = np.arange(0, len(x) - size + 1, shift)
    energy = np.maximum(sums[starts + size] - sums[starts], EPSILON)
    log_energy = np.log(energy).astype(np.float32)
    loud = energy_vad(log_energy, THRESHOLD, MEAN_SCALE, CONTEXT, SHARE)
    return float(loud.sum()) * SHIFT_SEC


def read_voice(
    audio: Any,
    sampling_rate: int,
    channel: int | None = None,
    max_sec: float = math.inf,
) -> Voice:
    """Read one channel of a recording at a model's rate.

    Args:
        audio: path, a file in memory, or (samples, rate) with (L,) samples in [-1, 1).
        sampling_rate: rate of the model, in Hz.
        channel: counted from 0; None: the only one, or all if they are the same.
        max_sec: how much of it is used; the rest of a file is not read.

    Raises:
        DataError: missing, empty, damaged or cut short, NaN, not scaled to [-1, 1), of
            a rate that none has, or several channels that differ.
    """
    notes = []
    if isinstance(audio, (str, Path, SoundFile)):
        name = audio.name if isinstance(audio, SoundFile) else str(audio)
        samples, rate, total = _read_channel(audio, name, channel, max_sec)
        require_full_scale(name, samples)
        if rate < min(sampling_rate, WIDE_BAND):
            text = f"recorded at {rate} Hz: nothing above {rate // 2} Hz"
            notes.append(f"{text}, where the model expects {sampling_rate} Hz")
        peak = float(np.abs(samples).max(initial=0))
        if peak >= FULL_SCALE:
            share = np.count_nonzero(np.abs(samples) > peak - STEP) / len(samples)
            if share > CLIPPED:
                notes.append(f"{100 * share:.0f} % of its samples are clipped")
        samples = resample(samples, rate, sampling_rate)
    else:
        recording = read_recording(audio, sampling_rate)
        name, samples = recording.name, recording.samples
        total = len(samples) / sampling_rate
    if total > max_sec:
        samples = samples[: round(max_sec * sampling_rate)]
        notes.append(f"{ONLY} {max_sec:g} s are used")
    for note in notes:
        logger.warning("%s: %s", name, note)
    speech = min(find_speech(samples, sampling_rate), len(samples) / sampling_rate)
    return Voice(name, samples, total, speech, tuple(notes))


def _read_channel(
    audio: str | Path | SoundFile, name: str, channel: int | None, max_sec: float
) -> tuple[np.ndarray, int, float]:
    """Read a channel of a file: samples at its own rate, the rate, and all seconds."""
    if isinstance(audio, SoundFile):
        opened = open_content(name, audio.content)
    else:
        opened = open_audio(name)
    with opened as file:
        require_rate(name, rate := file.samplerate)
        total = file.frames / rate
        used = None if total <= max_sec else max_sec
        if channel is not None or file.channels == 1:
            return read_samples(file, name, 0.0, used, channel or 0), rate, total
        several = (read_samples(file, name, 0.0, used, n) for n in range(file.channels))
        first = next(several)
        if all(np.array_equal(first, x) for x in several):
            return first, rate, total
        problem = f"its {file.channels} channels differ: maybe two people"
        raise DataError(name, problem, hint="--channel 0, or another, chooses one")


def require_speech(voice: Voice, least_sec: float, min_samples: int) -> None:
    """Raise a TooLittleSpeech that says how much was found, if it is not enough."""
    found = f"found {voice.speech_sec:.2f} s in its {voice.total_sec:.2f} s"
    found += "".join(f" ({note})" for note in voice.notes if note.startswith(ONLY))
    if voice.speech_sec == 0:
        raise TooLittleSpeech(voice.name, f"no speech: {found}")
    if voice.speech_sec < least_sec or len(voice.samples) < min_samples:
        problem = f"too little speech: {found}, expected {least_sec:g} s or more"
        raise TooLittleSpeech(voice.name, problem, hint="record a longer sentence")
