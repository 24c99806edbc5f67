"""Spoofed stretches of a recording: frame scores to seconds, without torch or k2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.answers import Cell, Table
from asdkit.base.ranges import NonNegative, Positive
from asdkit.segmentation.segments import FrameTimes, segments_of
from asdkit.segmentation.shortest_segments import decide_classes


class Stretch(NamedTuple):
    """A part of a recording.

    Attributes:
        start: in seconds.
        end: in seconds.
        score: mean of its frames; lower: more likely spoofed.
    """

    start: float
    end: float
    score: float

    def __str__(self) -> str:
        return f"{self.start:.2f} to {self.end:.2f} s"


@dataclass(frozen=True)
class Localization:
    """The options of a decision about frames; those of cm-localize --method fsa.

    Args:
        min_spoof_sec: shortest spoofed stretch in seconds, except at the ends.
        min_bonafide_sec: shortest bona fide stretch in seconds, except at the ends.
        change_cost: cost of switching between spoofed and bona fide speech, in nats.
        threshold: score above which a frame is bona fide.
        score_scale: scale of the scores, minus the threshold.
    """

    min_spoof_sec: Positive = 0.1
    min_bonafide_sec: Positive = 0.1
    change_cost: NonNegative = 3.0
    threshold: float = 0.0
    score_scale: Positive = 0.2

    def __post_init__(self) -> None:
        values = asdict(self)
        if not all(np.isfinite(x) for x in values.values()):
            raise ValueError(f"expected finite numbers, got {values}")
        positive = "min_spoof_sec", "min_bonafide_sec", "score_scale"
        if self.change_cost < 0 or min(values[name] for name in positive) <= 0:
            raise ValueError(f"expected numbers above 0, got {values}")

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Localization:
        """Read what `vars` wrote; raise a TypeError or ValueError if it is damaged."""
        return cls(**{name: float(value) for name, value in options.items()})

    def spoofed(
        self, scores: np.ndarray, times: FrameTimes, duration: float
    ) -> tuple[Stretch, ...]:
        """Find the stretches that are probably spoofed.

        Args:
            scores: (T,) of frames; higher means bona fide.
            times: of these frames.
            duration: of the recording in seconds.

        Example:
            >>> scores = np.repeat([9.0, -9.0, 9.0], 50)
            >>> print(*Localization().spoofed(scores, FrameTimes(0.01, 0.0), 1.5))
            0.50 to 1.00 s
        """
        shortest = self.min_spoof_sec, self.min_bonafide_sec
        frames = [max(1, round(sec / times.shift_sec)) for sec in shortest]
        odds = self.score_scale * (scores - self.threshold)
        classes = decide_classes(odds, (frames[0], frames[1]), self.change_cost)
        return tuple(
            Stretch(
                *times.seconds(x, len(scores), duration),
                float(scores[x.start : x.stop].mean()),
            )
            for x in segments_of(classes)
            if x.label == 0
        )


def with_stretches(
    table: Table, stretches: Sequence[tuple[Stretch, ...] | None]
) -> Table:
    """Add a column of stretches to a table of recordings, if any model localizes.

    Args:
        table: a row for each of N recordings.
        stretches: those of each; None where its model does not localize.
    """
    if all(found is None for found in stretches):
        return table
    rows = [
        [*row, Cell(_told(found), None if found is None else _as_values(found))]
        for row, found in zip(table.rows, stretches, strict=True)
    ]
    return replace(table, titles=[*table.titles, "spoofed s"], rows=rows)


def _told(found: tuple[Stretch, ...] | None) -> str:
    """Write stretches for people."""
    return ", ".join(f"{x.start:.2f}-{x.end:.2f}" for x in found or ()) or "-"


def _as_values(found: tuple[Stretch, ...]) -> list[dict[str, float]]:
    """Give stretches for JSON."""
    return [x._asdict() for x in found]
