"""Which frames of partially spoofed utterances are bona fide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.errors import DataError
from asdkit.data.cuts import attack_of
from asdkit.data.lanes import cut_chunk
from asdkit.io.protocols import BONAFIDE
from asdkit.segmentation.segments import FrameTimes

if TYPE_CHECKING:
    from lhotse import MonoCut


def spoofed_parts(cut: MonoCut) -> list[tuple[float, float]]:
    """Return begin and end of what is spoofed, in seconds of the utterance.

    An attack that nobody says more of is all of its utterance.

    Raises:
        DataError: nobody knows of what attack the utterance is.
    """
    if attack_of(cut) == BONAFIDE:
        return []
    custom = cut.supervisions[0].custom
    return [tuple(part) for part in custom.get("spoofed", [[0.0, cut.duration]])]


def bonafide_frames(cut: MonoCut, times: FrameTimes, num_frames: int) -> np.ndarray:
    """Label frames by what is in their middle: (T,) int64, 0 for spoof, 1 for bonafide.

    Args:
        cut: of one utterance.
        times: of its frames.
        num_frames: T.

    Raises:
        DataError: nobody knows of what attack the utterance is.
    """
    middles = times.middles(num_frames)
    labels = np.ones(num_frames, np.int64)
    for start, stop in spoofed_parts(cut):
        labels[(middles >= start) & (middles < stop)] = 0
    if attack_of(cut) != BONAFIDE and "spoofed" not in cut.supervisions[0].custom:
        labels[:] = 0  # the last frames may lie a little behind the end
    return labels


class LabelChunks:
    """Labels of all frames of some utterances, in chunks like those of stored features.

    Args:
        cuts: U utterances with stored features.
        times: of their frames.
        num_frames: (U,) frames that a lane gives of each.

    Raises:
        DataError: a lane leaves frames out, so that nobody knows which are which.
    """

    def __init__(
        self, cuts: Sequence[MonoCut], times: FrameTimes, num_frames: np.ndarray
    ) -> None:
        self._labels = []
        for cut, number in zip(cuts, num_frames, strict=True):
            if cut.features.num_frames != number:
                raise DataError(
                    cut.id, f"{number} of {cut.features.num_frames} frames have labels"
                )
            self._labels.append(bonafide_frames(cut, times, int(number)))

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return (T,) int64 labels of what a lane cuts with the same draws."""
        return cut_chunk(self._labels[index], num_frames, rng)
