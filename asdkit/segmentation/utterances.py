"""Long recordings, cut into utterances where the speaker pauses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Span(NamedTuple):
    """Successive frames.

    Attributes:
        start: first frame.
        stop: one more than the last.
    """

    start: int
    stop: int


def cut_at_pauses(is_speech: np.ndarray, longest: int, least: int = 1) -> list[Span]:
    """Cut frames into spans with speech at both ends, in the longest pauses.

    A span that would be too long is cut in the longest pause of its second half, or,
    where there is none, at its longest.

    Args:
        is_speech: (T,) bool.
        longest: frames of a span at most, 2 or more.
        least: frames of speech in a span at least; what has fewer is left out.

    Returns:
        spans in time, each from speech to speech.

    Example:
        >>> speech = np.array([0, 1, 1, 1, 0, 0, 1, 1, 0], bool)
        >>> cut_at_pauses(speech, longest=6)
        [Span(start=1, stop=4), Span(start=6, stop=8)]
    """
    if longest < 2:
        raise ValueError(f"expected at least 2 frames, got {longest}")
    times = np.flatnonzero(is_speech)
    spans = []
    first = 0  # of the times that are left
    while first < len(times):
        start = int(times[first])
        inside = int(np.searchsorted(times, start + longest))  # the first beyond
        last = inside
        if inside < len(times):
            half = int(np.searchsorted(times, start + longest // 2))
            half = max(half, first + 1)
            if half < inside:
                # Pauses before each of these; behind the last one is beyond, too.
                pauses = np.diff(times[half - 1 : inside + 1])
                if pauses.max() > 1:
                    last = half + int(np.argmax(pauses))
        if last - first >= least:
            spans.append(Span(start, int(times[last - 1]) + 1))
        first = last
    return spans
