"""Recordings that are read again and again, kept in memory once they are decoded.

A training reads a piece of every recording in every epoch.  Opening a file, seeking and
decoding take as long as computing the piece's features; of a small corpus all
recordings fit into memory, as 16-bit samples, which is what most files hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from asdkit.io.audio import open_stream

MOST_BYTES = 1 << 29  # four and a half hours at 16 kHz
LONGEST_SEC = 60  # longer ones are music and noise, of which a training needs a little
SCALE = np.float32(2**-15)

_kept: KeptAudio | None = None


class Decoded(NamedTuple):
    """A recording.

    Attributes:
        samples: (L, channels) int16.
        rate: in Hz.
    """

    samples: np.ndarray
    rate: int


class KeptAudio:
    """Decoded recordings, up to a number of bytes; what came first stays.

    Args:
        num_bytes: at most, of all processes that prefetch batches together.

    Attributes:
        size: bytes that are kept.
        is_full: whether there was no room for a recording; none is kept after it.
    """

    def __init__(self, num_bytes: int = MOST_BYTES) -> None:
        self.num_bytes = num_bytes
        self.size = 0
        self.is_full = False
        self._found: dict[str, Decoded | None] = {}

    def find(self, path: str) -> Decoded | None:
        """Return a recording, decoded now or before; None if it is not kept.

        It is kept if it is short, of 16 bits, as long as it says, and there is room.

        Raises:
            DataError: the file is empty or cut short.
            soundfile.LibsndfileError: it is damaged, missing or of an unknown format.
        """
        if path not in self._found and not self.is_full:
            self._found[path] = self._decode(path)
        return self._found.get(path)

    def _decode(self, path: str) -> Decoded | None:
        """Decode a recording that may be kept."""
        with open_stream(path, path) as file:
            is_short = file.frames <= LONGEST_SEC * file.samplerate
            if file.subtype != "PCM_16" or not is_short:
                return None
            size = 2 * file.frames * file.channels
            if self.size + size > self.num_bytes // _num_processes():
                self.is_full = True  # of a large corpus, no file is opened twice
                return None
            samples = file.read(dtype="int16", always_2d=True)
            if len(samples) < file.frames:  # the rest may never be asked for
                return None
            self.size += samples.nbytes
            return Decoded(samples, file.samplerate)


@contextlib.contextmanager
def keep_audio() -> Iterator[KeptAudio]:
    """Keep what is decoded from now on, in this process and its workers."""
    global _kept
    before, _kept = _kept, KeptAudio()
    try:
        yield _kept
    finally:
        _kept = before


def find_kept(path: str) -> Decoded | None:
    """Return a recording as `KeptAudio.find` does; None, too, where nothing is kept."""
    return None if _kept is None else _kept.find(path)


def piece_of(samples: np.ndarray, start: int, size: int) -> np.ndarray:
    """Cut a piece as libsndfile reads it, to the bit.

    Args:
        samples: (L, channels) int16.
        start: its first sample.
        size: its length L'; -1: to the end.

    Returns:
        (channels, L') float32 in [-1, 1); fewer where there are no more.
    """
    stop = len(samples) if size < 0 else start + size
    return samples[start:stop].T * SCALE


def _num_processes() -> int:
    """Count the processes that share the memory: workers, if this is one of them."""
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    return 1 if info is None else info.num_workers
