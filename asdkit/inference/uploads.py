"""Sound files from strangers: refused before they cost anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from asdkit.base.errors import AsdkitError
from asdkit.base.exits import one_line
from asdkit.base.ranges import Count, Positive
from asdkit.inference.recordings import require_rate
from asdkit.inference.voices import SoundFile
from asdkit.io.audio import stated_size

MOST_VALUES = 1 << 25  # samples of all channels, 128 MB as float32
MP3_BYTES_PER_SEC = 56_000  # at most; its header does not say how long it is
# Filters from one rate to another have as many phases as this: those of all common
# rates; an odd one, e.g. 767999 Hz, takes a thousand times the memory.
MOST_PHASES = 1000
LONGEST_NAME = 255


class Refusal(AsdkitError):
    """A request that gets an error and no more.

    Args:
        status: of HTTP.
        message: what was expected, and what came.
        hint: the cure.
    """

    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """Bounds of what a server takes.

    Args:
        max_mb: largest request in MB, all of its files together.
        max_sec: longest recording in seconds.
        max_files: maximum number of files in a request.
        max_requests: maximum number of requests at a time; others are told to come
            back.
        patience_sec: time to send a request in, in seconds.
    """

    max_mb: Positive = 16.0
    max_sec: Positive = 60.0
    max_files: Count = 10
    max_requests: Count = 64
    patience_sec: Positive = 30.0

    @property
    def max_bytes(self) -> int:
        """The largest request."""
        return int(self.max_mb * 1e6)


def take_upload(
    name: str, content: bytes, rates: Iterable[int], limits: Limits
) -> SoundFile:
    """Take a sound file whose size is bearable, whatever its header claims.

    Args:
        name: as the client calls it.
        content: its bytes.
        rates: of the models, in Hz.
        limits: of the server.

    Raises:
        Refusal: it is too long, or has a name or a rate that no recording has.
        DataError: it is empty, damaged or of an unknown format, or no speech has its
            rate.
    """
    if len(name) > LONGEST_NAME or not name.isprintable():
        problem = f"expected a name of up to {LONGEST_NAME} printable letters"
        raise Refusal(422, f"{problem}, got {one_line(name[:40])!r}")
    if "/" in name or "\\" in name or name in (".", ".."):
        raise Refusal(422, f"expected the name of a file, got a path: {name!r}")
    stated = stated_size(name, content)
    if stated.num_samples is None:
        hint = "write it to a file, not to a pipe"
        raise Refusal(422, f"{name}: its header does not say how long it is", hint)
    seconds = stated.num_samples / max(1, stated.sampling_rate)
    if stated.form == "MP3":
        seconds = max(seconds, len(content) / MP3_BYTES_PER_SEC)
    most = f"{limits.max_sec:g} s or less"
    if seconds > limits.max_sec:
        raise Refusal(413, f"{name}: expected {most}, got {seconds:.0f} s")
    if (count := stated.num_samples * stated.num_channels) > MOST_VALUES:
        problem = f"{name}: expected {MOST_VALUES} samples or fewer, got {count}"
        raise Refusal(413, problem, "one channel at 16 kHz is enough")
    require_rate(name, given := stated.sampling_rate)
    if any(rate // math.gcd(rate, given) > MOST_PHASES for rate in rates):
        problem = f"{name}: expected a common sampling rate"
        raise Refusal(422, f"{problem}, got {given} Hz")
    return SoundFile(name, content)
