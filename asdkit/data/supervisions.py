"""Read supervisions, above all spoof labels, without lhotse.

Metrics need no more of the manifest than this, and lhotse takes long to import.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from asdkit.base.errors import DataError, shorten
from asdkit.data.manifests import SUPERVISIONS, read_items
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName, read_table
from asdkit.segmentation.segments import FrameTimes

logger = logging.getLogger(__name__)
GENDERS = ("m", "f", "male", "female")


class Described(Protocol):
    """A supervision, lhotse's or ours."""

    @property
    def id(self) -> str:
        """The utterance."""

    @property
    def duration(self) -> float:
        """Seconds."""

    @property
    def custom(self) -> Mapping[str, Any] | None:
        """Further fields: the attack, and which parts are spoofed."""


class Supervision(NamedTuple):
    """The part of lhotse's supervision that marks spoofed parts.

    Attributes:
        id: the utterance.
        duration: seconds.
        custom: further fields.
    """

    id: str
    duration: float
    custom: dict[str, Any] | None

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Supervision:
        """Convert a line of the manifest."""
        return cls(fields["id"], float(fields["duration"]), fields.get("custom"))


def read_supervisions(data_dir: PathName) -> dict[str, Supervision]:
    """Read the spoof labels of every utterance: id -> supervision, sorted.

    Raises:
        DataError: the manifest is missing or damaged, or an id comes twice.
    """
    return read_items(Path(data_dir) / SUPERVISIONS, Supervision)


def read_genders(path: PathName) -> dict[str, str]:
    """Read spk2gender; values that are no gender are kept, and warned of.

    Raises:
        DataError: the table is missing or malformed.
    """
    genders = read_table(path)
    odd = [spk for spk, value in genders.items() if value.lower() not in GENDERS]
    if odd:
        logger.warning(
            "supervisions: %s: %d of %d values are neither m nor f, first that of %r, "
            "%r",
            path,
            len(odd),
            len(genders),
            odd[0],
            shorten(genders[odd[0]]),
        )
    return genders


def attack_in(item: Described) -> str:
    """Name the attack of an utterance; "bonafide" where there is none.

    Raises:
        DataError: unknown.
    """
    attack = (item.custom or {}).get("attack")
    if attack is None:
        problem = f"{item.id!r}: expected an attack or bonafide, got neither"
        hint = "asdkit spoof-prepare writes it, or kaldi-import with utt2attack"
        raise DataError("utt2attack", problem, hint=hint)
    return attack


def spoofed_parts(item: Described) -> list[tuple[float, float]]:
    """Return begin and end of the spoofed parts, in seconds within the utterance.

    An attack without details covers all of its utterance.

    Raises:
        DataError: the attack of the utterance is unknown.
    """
    if attack_in(item) == BONAFIDE:
        return []
    whole = [[0.0, item.duration]]
    return [tuple(part) for part in (item.custom or {}).get("spoofed", whole)]


def bonafide_frames(item: Described, times: FrameTimes, num_frames: int) -> np.ndarray:
    """Label frames by their middle: (T,) int64, 0 for spoof, 1 for bonafide.

    Args:
        item: the utterance.
        times: of its frames.
        num_frames: T.

    Raises:
        DataError: the attack of the utterance is unknown.
    """
    middles = times.middles(num_frames)
    labels = np.ones(num_frames, np.int64)
    for start, stop in spoofed_parts(item):
        labels[(middles >= start) & (middles < stop)] = 0
    if attack_in(item) != BONAFIDE and "spoofed" not in (item.custom or {}):
        labels[:] = 0  # the last frames may lie a little behind the end
    return labels
