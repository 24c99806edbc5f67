"""Audio input and output: any format of libsndfile, whole or in part, at any rate.

Samples are float32 in [-1, 1).  Silence is allowed; empty or truncated files and NaN
are errors that name the file.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input
from asdkit.io.decoding import (
    UNKNOWN_FRAMES,
    Mp3,
    count_samples,
    open_decoded,
    open_mp3,
)
from asdkit.io.files import write_atomic
from asdkit.io.lengths import (
    AGAIN,
    STATE_LENGTH,
    check_length,
    require_pages,
    require_samples,
)
from asdkit.io.levels import LEVELS
from asdkit.io.paths import relative_hint
from asdkit.io.resampling import resample
from asdkit.io.tables import PathName

CONVERT = "convert it to FLAC or WAV, with ffmpeg or sox, or leave it out"
OVERSHOOT_SEC = 0.1  # tables round durations; a segment may end this much late


class Stated(NamedTuple):
    """The header of a sound file.

    Attributes:
        form: e.g. "FLAC".
        num_samples: of each channel; None: it does not say.  An estimate for MP3.
        sampling_rate: in Hz.
        num_channels: channels.
    """

    form: str
    num_samples: int | None
    sampling_rate: int
    num_channels: int


@contextlib.contextmanager
def open_audio(
    source: str,
    is_command: bool = False,
    allow_pipes: bool = False,
    count_all: bool = False,
) -> Iterator[soundfile.SoundFile]:
    """Open a sound file, or a command's output.

    Args:
        source: path or shell command.
        is_command: which of the two.
        allow_pipes: whether the user has allowed commands.
        count_all: decode to the end if the length cannot be known otherwise, e.g.
            Vorbis.

    Raises:
        DataError: it is missing, empty, cut short, damaged or of an unknown format; it
            is a command and these are not allowed, or it fails.
    """
    if not is_command:
        _require_regular(source)
    stream = io.BytesIO(_run(source, allow_pipes)) if is_command else source
    try:
        with open_stream(source, stream, count_all) as file:
            yield file
    except soundfile.LibsndfileError as error:
        raise _explain(source, is_command, error) from None


@contextlib.contextmanager
def open_content(source: str, content: bytes) -> Iterator[soundfile.SoundFile]:
    """Open a sound file that is in memory.

    Args:
        source: its name, for messages.
        content: its bytes.

    Raises:
        DataError: it is empty, cut short, damaged or of an unknown format.
    """
    if not content:
        raise DataError(source, "expected audio, got an empty file", hint=AGAIN)
    try:
        with open_stream(source, io.BytesIO(content)) as file:
            yield file
    except soundfile.LibsndfileError as error:
        problem = f"cannot read it: {error.error_string}"
        raise DataError(source, problem, hint=CONVERT) from None


def stated_size(source: str, content: bytes) -> Stated:
    """Read how much sound the header of a file in memory claims; decode nothing.

    Raises:
        DataError: it is empty, damaged or of an unknown format.
    """
    if not content:
        raise DataError(source, "expected audio, got an empty file", hint=AGAIN)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            frames = None if file.frames >= UNKNOWN_FRAMES else file.frames
            return Stated(file.format, frames, file.samplerate, file.channels)
    except soundfile.LibsndfileError as error:
        problem = f"cannot read it: {error.error_string}"
        raise DataError(source, problem, hint=CONVERT) from None


@contextlib.contextmanager
def open_stream(
    source: str, stream: str | io.BytesIO, count_all: bool = False
) -> Iterator[soundfile.SoundFile]:
    """Open a sound file whose header is truthful and that can be read in part.

    Args:
        source: its name, for messages.
        stream: its path, or what it holds.
        count_all: as for `open_audio`.

    Raises:
        DataError: it is empty or cut short.
        soundfile.LibsndfileError: it is damaged, missing or of an unknown format.
    """
    with soundfile.SoundFile(stream) as file:
        form, num_samples = file.format, file.frames
        can_seek = file.seekable() and num_samples < UNKNOWN_FRAMES
        if form != "MP3":
            check_length(source, stream, file, form)
            if can_seek and (form in STATE_LENGTH or not count_all):
                yield file
                return
    if form == "MP3":
        opened: contextlib.AbstractContextManager = open_mp3(stream)
    elif can_seek:
        if form == "OGG":
            require_pages(source, stream)
        require_samples(source, num_samples, count_samples(stream))
        opened = soundfile.SoundFile(stream)
    else:
        opened = open_decoded(stream)
    with opened as file:
        if isinstance(file, Mp3):
            check_length(source, stream, file, form)
            # Some count their header as a frame, too.
            frame = 576 if file.samplerate < 32000 else 1152
            if file.frames < file.num_stated - frame:
                require_samples(source, file.num_stated, file.frames)
        yield file


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
        duration: seconds, None for the rest.
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
    samples = np.ascontiguousarray(samples)
    require_sound(source, samples)
    return samples


def require_sound(source: str, samples: np.ndarray, whose: str = "") -> None:
    """Raise unless samples are finite; count implausible levels.

    Args:
        source: path or command, for messages.
        samples: (L,) float32.
        whose: start of the message, e.g. an utterance.
    """
    peak = max(-float(samples.min(initial=0)), float(samples.max(initial=0)))
    if not np.isfinite(peak):
        raise DataError(source, f"{whose}holds NaN or infinite samples", hint=CONVERT)
    LEVELS.note_read(source, samples, peak)


def read_audio(
    source: str,
    sampling_rate: int | None = None,
    *,
    start: float = 0.0,
    duration: float | None = None,
    channel: int = 0,
) -> tuple[np.ndarray, int]:
    """Read a sound file, or part of it, at the requested rate.

    Args:
        source: path.
        sampling_rate: in Hz, None for the file's own.
        start: seconds from the beginning.
        duration: seconds, None for the rest.
        channel: counted from 0.

    Returns:
        (L,) float32 samples and their rate in Hz.

    Raises:
        DataError: as `open_audio` and `read_samples` do.
    """
    note_input(source)
    with open_audio(source) as file:
        samples = read_samples(file, source, start, duration, channel)
        wanted = sampling_rate or file.samplerate
        return resample(samples, file.samplerate, wanted), wanted


def write_flac(path: PathName, samples: np.ndarray, sampling_rate: int) -> None:
    """Write a 16-bit FLAC file atomically, making directories as needed.

    Args:
        path: the file.
        samples: (L,) in [-1, 1); larger values are clipped and counted.
        sampling_rate: in Hz.

    Raises:
        DataError: a sample is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise DataError(path, "it would hold NaN or infinite samples; not written")
    LEVELS.note_written(path, samples)
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, sampling_rate, format="FLAC")
    with write_atomic(path, "wb") as stream:
        stream.write(encoded.getbuffer())


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


def _require_regular(source: str) -> None:
    """Raise for a pipe or a device, which might never end."""
    with contextlib.suppress(OSError):
        mode = os.stat(source).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            what = "a named pipe" if stat.S_ISFIFO(mode) else "a device or socket"
            raise DataError(
                source,
                f"expected a sound file, got {what}",
                hint="a command, e.g. 'cat FILE |', is read from its output",
            )


def _explain(
    source: str, is_command: bool, error: soundfile.LibsndfileError
) -> DataError:
    """Explain why libsndfile cannot open something."""
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
