"""ITU-T G.711 companding: A-law and mu-law.

Both are the segmented laws of the recommendation, code for code, not the logarithms
that they approximate.

Source: ITU-T G.711, tables 1a to 2b; scaled to 16 bits as in ITU-T G.191, g711.c.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FULL_SCALE = 32768


class Law(NamedTuple):
    """A companding law: magnitudes to 7 bits; the eighth is the sign, set if positive.

    Attributes:
        decisions: (128,) int32, smallest magnitude of every interval, increasing.
        values: (128,) int32, decoded magnitude of every interval.
        inverted: bits inverted on the line.
    """

    decisions: np.ndarray
    values: np.ndarray
    inverted: int


def _segments(inverted: int, bias: int, linear: int) -> Law:
    """Make eight segments of sixteen steps, each step twice that of the last segment.

    Args:
        inverted: see `Law`.
        bias: offset of the magnitudes, removed so that they begin at zero.
        linear: segments that go on from zero with the steps of the next.
    """
    segment, place = np.divmod(np.arange(128, dtype=np.int32), 16)
    step = 8 * 2 ** np.maximum(segment, linear)
    decisions = step * (place + np.where(segment < linear, 0, 16)) - bias
    return Law(decisions, decisions + step // 2, inverted)


ALAW = _segments(inverted=0x55, bias=0, linear=1)
ULAW = _segments(inverted=0x7F, bias=132, linear=0)


def compress(pcm: np.ndarray, law: Law) -> np.ndarray:
    """(L,) int16 -> (L,) uint8 codes.

    Magnitudes of negative samples are counted as G.191 does: -1 is as small as 0.
    """
    pcm = pcm.astype(np.int32)
    magnitude = np.where(pcm < 0, ~pcm, pcm)
    code = np.searchsorted(law.decisions, magnitude, side="right") - 1
    return ((code | np.where(pcm < 0, 0, 0x80)) ^ law.inverted).astype(np.uint8)


def expand(codes: np.ndarray, law: Law) -> np.ndarray:
    """(L,) uint8 codes -> (L,) int16."""
    plain = codes ^ np.uint8(law.inverted)
    value = law.values[plain & 0x7F]
    return np.where(plain & 0x80, value, -value).astype(np.int16)


def to_pcm(samples: np.ndarray) -> np.ndarray:
    """(L,) in [-1, 1) -> (L,) int16; what lies outside is clipped."""
    scaled = np.rint(samples * np.float32(FULL_SCALE))
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def from_pcm(pcm: np.ndarray) -> np.ndarray:
    """(L,) int16 -> (L,) float32 in [-1, 1)."""
    return pcm.astype(np.float32) / np.float32(FULL_SCALE)
