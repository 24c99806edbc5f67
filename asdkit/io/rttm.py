"""RTTM, NIST's Rich Transcription Time Marked format: labeled segments.

One line per turn: ``SPEAKER <reco> <channel> <start> <duration> <NA> <NA> <label> <NA>
<NA>``, times in seconds, channels counted from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_finite, parse_integer
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName, read_lines


class Turn(NamedTuple):
    """One line of RTTM.

    Attributes:
        reco: recording, or whatever the file's lines are of.
        start: in seconds.
        duration: in seconds.
        label: speaker, or class.
        channel: counted from 1.
    """

    reco: str
    start: float
    duration: float
    label: str
    channel: int = 1


def write_rttm(path: PathName, turns: Iterable[Turn]) -> None:
    """Write turns, sorted by recording and time."""
    with write_atomic(path) as stream:
        for turn in sorted(turns):
            stream.write(
                f"SPEAKER {turn.reco} {turn.channel} {turn.start:.3f} "
                f"{turn.duration:.3f} <NA> <NA> {turn.label} <NA> <NA>\n"
            )


def read_rttm(path: PathName) -> dict[str, list[Turn]]:
    """Read the turns of every recording, in time; other lines than SPEAKER are skipped.

    Raises:
        DataError: the file is missing, or a line is none of RTTM.
    """
    turns: dict[str, list[Turn]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        words = line.split()
        if not words or words[0].startswith(";") or words[0] != "SPEAKER":
            continue
        try:
            reco, label = words[1], words[7]
            times = parse_finite(words[3]), parse_finite(words[4])
            turn = Turn(reco, *times, label, parse_integer(words[2]))
        except (IndexError, ValueError):
            expected = "SPEAKER <reco> <channel> <start> <duration> <NA> <NA> <label>"
            problem = f"expected '{expected}', got {line!r}"
            raise DataError(path, problem, line=number) from None
        turns.setdefault(reco, []).append(turn)
    return {reco: sorted(turns[reco]) for reco in sorted(turns)}
