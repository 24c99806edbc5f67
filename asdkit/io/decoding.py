"""Decoding sound to its end, where its header does not say how long it is.

libsndfile believes an MP3's first frame: bytes of the file over bytes of that frame.
With a variable bit rate that can be half of what there is, and it reads no further; a
tag makes it more than there is.  A FLAC file that was written to a pipe has no length
at all.  What decodes is what counts.
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
# MP3 has frames of 8 to 448 kbit/s: the first one's guess is wrong by no more.
STRETCH = 64
TAG_BYTES = 128  # at the end of a file, where libsndfile looks for a tag of ID3v1
ID3V2_BYTES = 10  # of its header
Bytes = io.BufferedReader | io.BytesIO | io.RawIOBase


class Sequential(soundfile.SoundFile):
    """A sound file that is read from its first sample to its last.

    Where `soundfile` believes it could seek, it seeks after every reading, and stops
    where the length that it believes in does.
    """

    def seekable(self) -> bool:
        """Say no, so that `read` asks only for what comes next."""
        return False

    def blocks_to_end(self) -> Iterator[np.ndarray]:
        """Yield (L, C) float32 samples, whose buffer is used again.

        Raises:
            soundfile.LibsndfileError: the file is damaged.
        """
        buffer = np.empty((BLOCK, self.channels), np.float32)
        while len(block := self.read(BLOCK, out=buffer)):
            yield block


class Mp3(soundfile.SoundFile):
    """An MP3 that is as long as it was found to be.

    Args:
        stream: of its bytes.
        num_samples: how many samples of a channel decode.
        num_stated: how many its first frame states, 0 if it does not.
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
    """A file that says it is longer than it is, so that libsndfile reads to its end.

    It ends where it ends, but for zeros where a tag could be.
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
    """Open an MP3 to read all that it holds; a file is counted once per process.

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
    """Decode a sound file to its end, and count the samples of a channel.

    Costs 1 to 5 seconds of a core for an hour of MP3, Vorbis or Opus.

    Raises:
        soundfile.LibsndfileError: it is damaged.
    """
    with _open_file(source) as file, Sequential(file) as sound:
        return sum(map(len, sound.blocks_to_end()))


@contextlib.contextmanager
def open_decoded(source: str | io.BytesIO) -> Iterator[soundfile.SoundFile]:
    """Decode into memory what cannot be read but from the beginning, e.g. GSM 6.10.

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
    """Tell whether an MP3 begins with the number of its frames: Xing, Info or VBRI."""
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
    """Stretch an MP3 that does not state its length; of others libmpg123 would warn."""
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
