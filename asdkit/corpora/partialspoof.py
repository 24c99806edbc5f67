"""Corpora that mark the spoofed segments of their utterances."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.data.manifests import Utterance
from asdkit.io.protocols import BONAFIDE
from asdkit.io.rttm import Turn, read_rttm

TOUCHING = 0.001  # seconds, to which RTTM is often rounded


def mark_spoofed(path: Path, utterances: Sequence[Utterance]) -> list[Utterance]:
    """Mark the spoofed parts of utterances as `asdkit.corpora.spliced` describes.

    Args:
        path: RTTM whose recordings are utterances and whose turns are spoofed, whatever
            their label, except "bonafide".
        utterances: utterances with known attacks.

    Returns:
        the same utterances, those that have an attack with ``custom["spoofed"]``.

    Raises:
        DataError: the file is damaged, bona fide utterances have turns or others none,
            or a turn begins behind the end.
    """
    turns = read_rttm(path)
    marked = []
    for item in utterances:
        custom = item.custom or {}
        parts = _parts_of(turns.get(item.utt, []), item.duration)
        is_spoof = custom["attack"] != BONAFIDE
        if bool(parts) != is_spoof:
            expected = "spoofed parts" if is_spoof else "nothing that is spoofed"
            problem = f"{item.utt!r}: expected {expected}, got {len(parts)} parts"
            raise DataError(path, problem)
        if any(start >= stop for start, stop in parts):
            problem = f"{item.utt!r}: a turn is empty, or behind {item.duration:.3f} s"
            raise DataError(path, problem)
        if parts:
            item = item._replace(custom={**custom, "spoofed": parts})
        marked.append(item)
    return marked


def _parts_of(turns: Sequence[Turn], duration: float) -> list[list[float]]:
    """List the spoofed parts, in time; adjacent turns form one part."""
    parts: list[list[float]] = []
    for turn in turns:
        if turn.label == BONAFIDE:
            continue
        stop = min(turn.start + turn.duration, duration)
        if parts and turn.start <= parts[-1][1] + TOUCHING:
            parts[-1][1] = max(parts[-1][1], stop)
        else:
            parts.append([turn.start, stop])
    return parts
