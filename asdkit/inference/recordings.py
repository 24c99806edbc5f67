"""Read a recording: a sound file, samples with their rate, or a lhotse cut."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.audio import open_audio, read_samples, require_sound
from asdkit.io.levels import FAR, LEVELS
from asdkit.io.resampling import resample

logger = logging.getLogger(__name__)

ONE_CHANNEL = (
    "choose one: asdkit.io.audio.read_audio(path, channel=0) returns (samples, rate)"
)
LOWEST_RATE = 1000  # in Hz; lower numbers are kHz by mistake
HIGHEST_RATE = 768_000  # in Hz; filters to resample from more take gigabytes
EXPECTED = "expected a path, (samples, rate) or a lhotse cut"


class Recording(NamedTuple):
    """One channel of sound at a model's sampling rate.

    Attributes:
        name: for messages.
        utt: id of the cut, or name of the file without its extension; empty for
            samples.  It seeds dither, as the utterance's id does in feats-compute.
        samples: (L,) float32 in [-1, 1), L > 0.
    """

    name: str
    utt: str
    samples: np.ndarray


def read_recording(audio: Any, sampling_rate: int) -> Recording:
    """Read one channel of sound; resample it if necessary, and log that.

    Args:
        audio: path of a sound file with one channel; (L,) samples in [-1, 1) with their
            rate in Hz; or a lhotse cut of one channel.
        sampling_rate: rate of the model, in Hz.

    Raises:
        DataError: the sound is missing, empty, damaged or cut short, has several
            channels, holds NaN, or is not scaled to [-1, 1).
    """
    if isinstance(audio, (str, os.PathLike)):
        recording = _read_file(os.fspath(audio), sampling_rate)
    elif isinstance(audio, tuple) and len(audio) == 2:
        recording = _take_samples(*audio, sampling_rate)
    elif hasattr(audio, "load_audio") and hasattr(audio, "sampling_rate"):
        recording = _read_cut(audio, sampling_rate)
    else:
        shape = getattr(audio, "shape", None)
        got = type(audio).__name__ + (f" of shape {tuple(shape)}" if shape else "")
        hint = "samples need their rate: (samples, rate)" if shape else None
        raise DataError("audio", f"{EXPECTED}, got {got}", hint=hint)
    require_full_scale(recording.name, recording.samples)
    return recording


def require_full_scale(name: str, samples: np.ndarray) -> None:
    """Raise a DataError unless (L,) samples are in [-1, 1), or not far beyond it."""
    peak = float(np.abs(samples).max(initial=0))
    if peak > FAR:
        raise DataError(
            name,
            f"expected samples in [-1, 1), got some as large as {peak:.4g}",
            hint="divide them by their full scale, e.g. 32768",
        )


def require_rate(name: str, rate: float) -> None:
    """Raise a DataError unless a rate can be one of speech."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        between = f"{LOWEST_RATE} to {HIGHEST_RATE} Hz"
        raise DataError(name, f"expected a sampling rate of {between}, got {rate}")


def read_recordings(audios: Iterable[Any], sampling_rate: int) -> Iterable[Recording]:
    """Read one recording after another; log at the end if levels were implausible."""
    for audio in audios:
        yield read_recording(audio, sampling_rate)
    LEVELS.tell()


def _read_file(source: str, sampling_rate: int) -> Recording:
    """Read a sound file."""
    with open_audio(source) as file:
        require_rate(source, file.samplerate)
        if file.channels != 1:
            problem = f"expected one channel, got {file.channels}"
            raise DataError(source, problem, hint=ONE_CHANNEL)
        samples, rate = read_samples(file, source), file.samplerate
    _tell_resampling(source, rate, sampling_rate)
    samples = resample(samples, rate, sampling_rate)
    return Recording(source, Path(source).stem, samples)


def _take_samples(samples: Any, rate: Any, sampling_rate: int) -> Recording:
    """Check samples that are in memory."""
    samples = np.asarray(samples)
    if samples.ndim != 1:
        problem = f"expected (L,) samples of one channel, got shape {samples.shape}"
        raise DataError("audio", problem, hint="choose one, or average them")
    if samples.dtype.kind != "f":
        raise DataError(
            "audio",
            f"expected floating-point samples in [-1, 1), got {samples.dtype}",
            hint="divide 16-bit samples by 32768",
        )
    is_number = isinstance(rate, (int, float, np.integer, np.floating))
    if not is_number or not LOWEST_RATE <= rate <= HIGHEST_RATE or rate != int(rate):
        raise DataError("audio", f"expected a sampling rate in Hz, got {rate!r}")
    rate = int(rate)
    if not len(samples):
        raise DataError("audio", "expected samples, got none")
    samples = samples.astype(np.float32, copy=False)
    require_sound("audio", samples)
    _tell_resampling("audio", rate, sampling_rate)
    return Recording("audio", "", resample(samples, rate, sampling_rate))


def _read_cut(cut: Any, sampling_rate: int) -> Recording:
    """Read the audio of a lhotse cut."""
    from asdkit.batches.cut_arrays import load_samples

    kind = type(cut).__name__  # lhotse itself is not imported here
    if kind != "MonoCut" or not cut.has_recording:
        problem = f"expected a MonoCut with a recording, got {kind} {cut.id!r}"
        raise DataError("audio", problem)
    if any(source.type == "command" for source in cut.recording.sources):
        problem = f"{cut.id!r}: its recording is a command, which is not run"
        raise DataError("audio", problem, hint="write its output to a file first")
    _tell_resampling(cut.id, cut.sampling_rate, sampling_rate)
    if cut.sampling_rate != sampling_rate:
        cut = cut.resample(sampling_rate)
    return Recording(cut.id, cut.id, load_samples(cut))


def _tell_resampling(name: str, rate: int, wanted: int) -> None:
    """Log that a recording is resampled; warn if the top of the band stays empty."""
    if rate < wanted:
        logger.warning(
            "%s: resampled from %d to %d Hz, with nothing above %d Hz, which the model "
            "may rely on",
            *(name, rate, wanted, rate // 2),
        )
    elif rate > wanted:
        logger.info("%s: resampled from %d to %d Hz", name, rate, wanted)
