"""Frame labels of partially spoofed utterances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.errors import DataError
from asdkit.batches.frame_sources import cut_chunk
from asdkit.data.supervisions import bonafide_frames
from asdkit.segmentation.segments import FrameTimes

if TYPE_CHECKING:
    from lhotse import MonoCut


class LabelChunks:
    """Frame labels of utterances, cut into chunks like stored features.

    Args:
        cuts: U utterances with stored features.
        times: times of the frames.
        num_frames: (U,) number of frames of each from the source.

    Raises:
        DataError: the source leaves frames out, so labels cannot be aligned.
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
            self._labels.append(
                bonafide_frames(cut.supervisions[0], times, int(number))
            )

    def chunk(
        self, index: int, num_frames: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return (T,) int64 labels of what the source cuts with the same draws."""
        return cut_chunk(self._labels[index], num_frames, rng)
