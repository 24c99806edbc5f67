"""Sound: any container that libsndfile reads, whole or in part, at the rate you want.

Samples are float32 in [-1, 1).  Silence is legal; what cannot be speech at all,
nothing, half a file or NaN, is an error that names the file.
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from asdkit.base.errors import DataError
from asdkit.io.files import write_atomic
from asdkit.io.paths import relative_hint
from asdkit.io.tables import PathName

if TYPE_CHECKING:
    import torchaudio

CONVERT = "convert it to FLAC or WAV, with ffmpeg or sox, or leave it out"
AGAIN = "the file is cut short; copy or convert it again, or leave it out"
OVERSHOOT_SEC = 0.1  # tables round durations; a segment may end this much late
# What a header says is there and what libsndfile finds, from its log.  A program that
# writes to a pipe does not know the length and says nearly 2 or 4 GB.
BYTES = re.compile(
    r"^\s*(?:data|SSND|Data Size|Riff size|riff)\s*: (\d+) \(should be (\d+)\)", re.M
)
UNKNOWN_LENGTH = 0x7FFF0000


@contextlib.contextmanager
def open_audio(
    source: str, is_command: bool = False, allow_pipes: bool = False
) -> Iterator[soundfile.SoundFile]:
    """Open a sound file, or what a command writes to its stdout.

    Args:
        source: path or shell command.
        is_command: which of the two.
        allow_pipes: whether the user lets commands run.

    Raises:
        DataError: it is missing, empty, cut short, damaged or of an unknown format; it
            is a command and these are not allowed, or it fails.
    """
    stream = io.BytesIO(_run(source, allow_pipes)) if is_command else source
    try:
        with soundfile.SoundFile(stream) as file:
            _check_length(source, stream, file)
            yield file
    except soundfile.LibsndfileError as error:
        raise _explain(source, is_command, error) from None


def read_samples(
    file: soundfile.SoundFile,
    source: str,
    start: float = 0.0,
    duration: float | None = None,
    channel: int = 0,
) -> np.ndarray:
    """Read part of an open sound file.

    Args:
        file: from `open_audio`.
        source: its name, for messages.
        start: seconds from the beginning.
        duration: seconds, None for all that follows.
        channel: counted from 0.

    Returns:
        (L,) float32 samples of one channel, at the file's own rate.

    Raises:
        DataError: there is no such channel or time, the file is cut short, or a
            sample is NaN or infinite.
    """
    if channel >= file.channels:
        problem = f"expected a channel below {file.channels}, got channel {channel}"
        raise DataError(source, problem)
    rate = file.samplerate
    first = round(start * rate)
    last = file.frames if duration is None else round((start + duration) * rate)
    if first >= file.frames or last > file.frames + OVERSHOOT_SEC * rate:
        raise DataError(
            source,
            f"expected {last / rate:.2f} s of audio, got {file.frames / rate:.2f} s",
            hint="the file has changed since it was listed, or is cut short",
        )
    last = min(last, file.frames)
    try:
        file.seek(first)
        samples = file.read(last - first, dtype="float32", always_2d=True)[:, channel]
    except soundfile.LibsndfileError as error:
        raise DataError(
            source, f"damaged or cut short: {error.error_string}", hint=AGAIN
        ) from None
    if len(samples) < max(1, last - first):
        problem = f"expected {last - first} samples, got only {len(samples)}"
        raise DataError(source, problem, hint=AGAIN)
    if not np.isfinite(samples).all():
        raise DataError(source, "holds NaN or infinite samples", hint=CONVERT)
    return np.ascontiguousarray(samples)


def read_audio(
    source: str,
    sampling_rate: int | None = None,
    *,
    start: float = 0.0,
    duration: float | None = None,
    channel: int = 0,
) -> tuple[np.ndarray, int]:
    """Read a sound file, or part of it, at the rate you want.

    Args:
        source: path.
        sampling_rate: in Hz, None for the file's own.
        start: seconds from the beginning.
        duration: seconds, None for all that follows.
        channel: counted from 0.

    Returns:
        (L,) float32 samples and their rate in Hz.

    Raises:
        DataError: as `open_audio` and `read_samples` do.
    """
    with open_audio(source) as file:
        samples = read_samples(file, source, start, duration, channel)
        wanted = sampling_rate or file.samplerate
        return resample(samples, file.samplerate, wanted), wanted


def write_flac(path: PathName, samples: np.ndarray, sampling_rate: int) -> None:
    """Write a FLAC file of 16 bits, complete or not at all; directories are made.

    Args:
        path: the file.
        samples: (L,) in [-1, 1); what lies outside is clipped.
        sampling_rate: in Hz.
    """
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sampling_rate, format="FLAC")
    with write_atomic(path, "wb") as stream:
        stream.write(encoded.getbuffer())


def resample(samples: np.ndarray, old_rate: int, new_rate: int) -> np.ndarray:
    """Change the sampling rate: (L,) -> (L',) float32; the same array if equal.

    Source: torchaudio's windowed-sinc interpolation with its defaults.
    """
    if old_rate == new_rate:
        return samples
    import torch

    return _resampler(old_rate, new_rate)(torch.from_numpy(samples)).numpy()


@lru_cache
def _resampler(old_rate: int, new_rate: int) -> torchaudio.transforms.Resample:
    """Keep the filter of a pair of rates."""
    import torchaudio

    return torchaudio.transforms.Resample(old_rate, new_rate)


def _run(command: str, allow_pipes: bool) -> bytes:
    """Return what a shell command writes to its stdout, if commands are allowed."""
    if not allow_pipes:
        raise DataError(
            command,
            "expected a sound file, got a command",
            hint="--allow-pipes true runs such commands",
        )
    # Kaldi's wav.scp holds shell pipelines; the user has said that they may run.
    done = subprocess.run(  # noqa: S602
        command, shell=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise DataError(command, f"the command fails with {done.returncode}: {said!r}")
    return done.stdout


def _check_length(
    source: str, stream: str | io.BytesIO, file: soundfile.SoundFile
) -> None:
    """Raise if there is less audio than the header says, which libsndfile forgives."""
    if file.frames <= 0:
        raise DataError(source, "expected audio, got no samples", hint=AGAIN)
    for there, found in BYTES.findall(file.extra_info):
        if int(found) < int(there) < UNKNOWN_LENGTH:
            problem = f"expected {there} bytes of audio, got only {found}"
            raise DataError(source, problem, hint=AGAIN)
    if file.format == "NIST":
        count = re.search(rb"^sample_count -i (\d+)", _head(stream), re.M)
        if count and file.frames < int(count[1]):
            problem = f"expected {int(count[1])} samples, got only {file.frames}"
            raise DataError(source, problem, hint=AGAIN)


def _head(stream: str | io.BytesIO) -> bytes:
    """Read the first kilobyte, where NIST puts its header."""
    if isinstance(stream, io.BytesIO):
        return stream.getvalue()[:1024]
    with open(stream, "rb") as file:
        return file.read(1024)


def _explain(
    source: str, is_command: bool, error: soundfile.LibsndfileError
) -> DataError:
    """Say in the user's words why libsndfile cannot open something."""
    if is_command:
        problem = f"its output is no sound file: {error.error_string}"
        return DataError(source, problem, hint="the command must write a WAV to stdout")
    path = Path(source)
    if not path.exists():
        hint = relative_hint(path) or "correct the path, or leave the utterance out"
        if re.search(r":\d+$", source):
            hint = "audio in archives is not read here: wav-copy it into files first"
        return DataError(source, "no such file", hint=hint)
    if path.is_file() and path.stat().st_size == 0:
        return DataError(source, "expected audio, got an empty file", hint=AGAIN)
    return DataError(source, f"cannot read it: {error.error_string}", hint=CONVERT)
