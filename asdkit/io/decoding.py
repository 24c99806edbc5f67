"""Decode audio to its end where its header gives no reliable length.

libsndfile estimates the length of an MP3 as the size of the file over the size of its
first frame.  At a variable bit rate this can be half the true length, beyond which it
reads nothing; an ID3 tag makes it too long.  A FLAC file written to a pipe states no
length at all.  The samples that decode are the ones that count.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import soundfile

UNKNOWN_FRAMES = 2**62  # libsndfile has 2**63 - 1 frames where it does not know
BLOCK = 1 << 16  # samples to decode at a time
# Frames have 8 to 448 kbit/s, so the estimate is too small by at most this factor.
STRETCH = 64
TAG_BYTES = 128  # at the end of a file, where libsndfile looks for a tag of ID3v1
ID3V2_BYTES = 10  # of its header
Bytes = io.BufferedReader | io.BytesIO | io.RawIOBase


class Sequential(soundfile.SoundFile):
    """A sound file read from the first sample to the last.

    `soundfile` seeks after every read of a seekable file and stops at the length it
    assumes, so this one says it is not seekable.
    """

    def seekable(self) -> bool:
        """Return False, so that `read` simply continues."""
        return False

    def blocks_to_end(self) -> Iterator[np.ndarray]:
        """Yield (L, C) float32 samples in a reused buffer.

        Raises:
            soundfile.LibsndfileError: the file is damaged.
        """
        buffer = np.empty((BLOCK, self.channels), np.float32)
        while len(block := self.read(BLOCK, out=buffer)):
            yield block


class Mp3(soundfile.SoundFile):
    """An MP3 whose number of samples was counted.

    Args:
        stream: of its bytes.
        num_samples: number of samples per channel that decode.
        num_stated: number stated in its first frame, 0 if none.
    """

    def __init__(self, stream: Bytes, num_samples: int, num_stated: int) -> None:
        super().__init__(stream)
        self._num_samples = num_samples
        self.num_stated = num_stated

    @property
    def frames(self) -> int:
        """The number of samples of a channel."""
        return self._num_samples


class _Stretched(io.RawIOBase):
    """A stream that claims to be longer than it is, so that libsndfile reads it all.

    Reads past the end return nothing, except zeros where an ID3v1 tag would be.
    """

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._size = STRETCH * file.seek(0, os.SEEK_END) + TAG_BYTES
        file.seek(0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._file.tell() < self._size - TAG_BYTES:
            return self._file.readinto(buffer)
        buffer[:] = bytes(len(buffer))
        return len(buffer)


@contextlib.contextmanager
def open_mp3(source: str | io.BytesIO) -> Iterator[Mp3]:
    """Open an MP3 at its full length; each file is counted once per process.

    Args:
        source: path, or stream of its bytes.

    Raises:
        soundfile.LibsndfileError: it is damaged.
    """
    with _open_file(source) as file:
        stated = _states_length(file)
        if isinstance(source, str):
            status = os.stat(source)
            counts = _count_once(source, stated, status.st_size, status.st_mtime_ns)
        else:
            counts = _count_mp3(file, stated)
        with Mp3(_mp3_stream(file, stated), *counts) as sound:
            yield sound


def count_samples(source: str | io.BytesIO) -> int:
    """Decode a sound file to its end, and count the samples per channel.

    Costs 1 to 8 CPU seconds per hour of MP3, Vorbis or Opus.

    Raises:
        soundfile.LibsndfileError: it is damaged.
    """
    with _open_file(source) as file, Sequential(file) as sound:
        return sum(map(len, sound.blocks_to_end()))


@contextlib.contextmanager
def open_decoded(source: str | io.BytesIO) -> Iterator[soundfile.SoundFile]:
    """Decode a file into memory that can only be read sequentially, e.g. GSM 6.10.

    Raises:
        soundfile.LibsndfileError: it is damaged.
    """
    with _open_file(source) as file, Sequential(file) as sound:
        rate, blocks = sound.samplerate, [x.copy() for x in sound.blocks_to_end()]
        samples = np.concatenate([*blocks, np.empty((0, sound.channels), np.float32)])
    decoded = io.BytesIO()
    soundfile.write(decoded, samples, rate, format="W64", subtype="FLOAT")
    decoded.seek(0)
    with soundfile.SoundFile(decoded) as sound:
        yield sound


def _states_length(file: Bytes) -> bool:
    """Tell whether an MP3 has a header with its number of frames (Xing, Info, VBRI)."""
    file.seek(0)
    tag = file.read(ID3V2_BYTES)
    start = 0
    if tag.startswith(b"ID3") and len(tag) == ID3V2_BYTES:
        for byte in tag[6:]:  # seven bits each
            start = start << 7 | byte & 0x7F
        start += ID3V2_BYTES
    file.seek(start)
    frame = file.read(1024)
    for name in (b"Xing", b"Info"):
        if name in frame:
            flags = frame.partition(name)[2][3:4]
            return bool(flags) and bool(flags[0] & 1)
    return b"VBRI" in frame


@lru_cache(maxsize=100_000)
def _count_once(path: str, stated: bool, size: int, time: int) -> tuple[int, int]:
    """Count the samples of an MP3 of this size and time."""
    with open(path, "rb") as file:
        return _count_mp3(file, stated)


def _count_mp3(file: Bytes, stated: bool) -> tuple[int, int]:
    """Count the samples of an MP3 that decode and that it states, 0 if it does not."""
    with Sequential(_mp3_stream(file, stated)) as sound:
        return sum(map(len, sound.blocks_to_end())), stated * sound.frames


def _mp3_stream(file: Bytes, stated: bool) -> Bytes:
    """Stretch an MP3 without a stated length; with one, libmpg123 would warn."""
    file.seek(0)
    return file if stated else _Stretched(file)


@contextlib.contextmanager
def _open_file(source: str | io.BytesIO) -> Iterator[io.BufferedReader | io.BytesIO]:
    """Open a path; take a stream from its beginning, and rewind it."""
    if isinstance(source, str):
        with open(source, "rb") as file:
            yield file
    else:
        source.seek(0)
        try:
            yield source
        finally:
            source.seek(0)
