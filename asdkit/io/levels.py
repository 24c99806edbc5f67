"""Count audio with implausible levels, and report it once when the program ends.

Samples scaled as 16-bit integers and clipped recordings yield features like any other,
so without a report they go unnoticed.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass

import numpy as np

from asdkit.base.exits import at_exit
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)
FAR = 2.0  # 6 dB above full scale; lossy codecs overshoot by less
FULL_SCALE = 0.97  # mu-law ends at 0.98
STEP = 1.5 / 32768  # samples this close to the peak count as clipped
CLIPPED = 0.01  # share of samples at the peak; 0.6 % of a sine are


@dataclass
class Count:
    """Number of segments or files, the most extreme value, and the file it is in."""

    number: int = 0
    value: float = 0.0
    source: str = ""


class Levels:
    """Counts of implausible levels.

    Attributes:
        num_read: number of segments read.
        far: segments with samples far outside [-1, 1], and the largest sample.
        clipped: clipped segments, and the largest share of clipped samples.
        cut: files clipped on writing, and the largest sample.
    """

    def __init__(self) -> None:
        self.num_read = 0
        self.far, self.clipped, self.cut = Count(), Count(), Count()
        self._worker_has_told = False

    def note_read(self, source: PathName, samples: np.ndarray, peak: float) -> None:
        """Count (L,) samples that were read, given their largest absolute value."""
        self.num_read += 1
        if peak > FAR:
            self._add(self.far, source, peak)
        elif peak >= FULL_SCALE:
            share = np.count_nonzero(np.abs(samples) > peak - STEP) / len(samples)
            if share > CLIPPED:
                self._add(self.clipped, source, share)

    def note_written(self, path: PathName, samples: np.ndarray) -> None:
        """Count (L,) samples that are about to be written as integers."""
        peak = float(np.abs(samples).max(initial=0.0))
        if peak > 1:
            self._add(self.cut, path, peak)

    def tell(self) -> None:
        """Log the counts and reset them."""
        far, clipped, cut, num_read = self.far, self.clipped, self.cut, self.num_read
        self.far, self.clipped, self.cut, self.num_read = Count(), Count(), Count(), 0
        if far.number:
            logger.warning(
                "audio: %d of %d segments have samples far outside [-1, 1], up to %.4g "
                "(%s); divide such files by their full scale, e.g. 32768",
                *(far.number, num_read, far.value, far.source),
            )
        if clipped.number:
            logger.log(
                logging.WARNING if 2 * clipped.number > num_read else logging.INFO,
                "audio: %d of %d segments are clipped, worst %s (%.1f %% of samples)",
                *(clipped.number, num_read, clipped.source, 100 * clipped.value),
            )
        if cut.number:
            logger.warning(
                "audio: %d files were clipped on writing; largest sample %.4g (%s)",
                *(cut.number, cut.value, cut.source),
            )

    def _add(self, count: Count, source: PathName, value: float) -> None:
        """Count one; a worker process reports its first, as its counts are lost."""
        count.number += 1
        if value > count.value:
            count.value, count.source = value, str(source)
        # Whoever is a worker of multiprocessing has imported it.
        workers = sys.modules.get("multiprocessing")
        is_worker = workers is not None and workers.parent_process() is not None
        if is_worker and not self._worker_has_told:
            self._worker_has_told = True
            self.tell()


LEVELS = Levels()
at_exit(LEVELS.tell)
