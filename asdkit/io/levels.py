"""Whether the levels of what was read and written are those of sound, said at the end.

Samples in the units of 16-bit integers, and recordings that are clipped, give features
as any other samples do.  A program says once how many there were.
"""

from __future__ import annotations

import logging
import multiprocessing
from dataclasses import dataclass

import numpy as np

from asdkit.base.exits import at_exit
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)
FAR = 2.0  # 6 dB above full scale; decoders of lossy codecs overshoot by less
FULL_SCALE = 0.97  # mu-law ends at 0.98
STEP = 1.5 / 32768  # a sample this close to the peak is at the peak
CLIPPED = 0.01  # share of samples at the peak; 0.6 % of a sine are


@dataclass
class Count:
    """How many pieces of audio are odd, the oddest value, and whose it is."""

    number: int = 0
    value: float = 0.0
    source: str = ""


class Levels:
    """Count what is read and written at odd levels.

    Attributes:
        num_read: how many pieces of audio were read.
        far: how many of these reach far outside [-1, 1]; the largest sample.
        clipped: how many are clipped; the largest share of samples.
        cut: how many files were clipped when they were written; the largest sample.
    """

    def __init__(self) -> None:
        self.num_read = 0
        self.far, self.clipped, self.cut = Count(), Count(), Count()
        self._worker_has_told = False

    def note_read(self, source: PathName, samples: np.ndarray, peak: float) -> None:
        """Take note of (L,) samples and the largest absolute value of these."""
        self.num_read += 1
        if peak > FAR:
            self._add(self.far, source, peak)
        elif peak >= FULL_SCALE:
            share = np.count_nonzero(np.abs(samples) > peak - STEP) / len(samples)
            if share > CLIPPED:
                self._add(self.clipped, source, share)

    def note_written(self, path: PathName, samples: np.ndarray) -> None:
        """Take note of (L,) samples that become integers."""
        peak = float(np.abs(samples).max(initial=0.0))
        if peak > 1:
            self._add(self.cut, path, peak)

    def tell(self) -> None:
        """Say what was counted, and begin anew."""
        far, clipped, cut, num_read = self.far, self.clipped, self.cut, self.num_read
        self.far, self.clipped, self.cut, self.num_read = Count(), Count(), Count(), 0
        if far.number:
            logger.warning(
                "audio: %d of %d pieces read reach far outside [-1, 1], to %.4g in %s; "
                "divide such files by their full scale, e.g. 32768",
                *(far.number, num_read, far.value, far.source),
            )
        if clipped.number:
            logger.log(
                logging.WARNING if 2 * clipped.number > num_read else logging.INFO,
                "audio: %d of %d pieces read are clipped, in %s %.1f %% of all samples",
                *(clipped.number, num_read, clipped.source, 100 * clipped.value),
            )
        if cut.number:
            logger.warning(
                "audio: %d files were clipped at 1 when they were written, from %.4g "
                "in %s",
                *(cut.number, cut.value, cut.source),
            )

    def _add(self, count: Count, source: PathName, value: float) -> None:
        """Count one; a worker process, whose end nobody hears, says its first."""
        count.number += 1
        if value > count.value:
            count.value, count.source = value, str(source)
        if multiprocessing.parent_process() and not self._worker_has_told:
            self._worker_has_told = True
            self.tell()


LEVELS = Levels()
at_exit(LEVELS.tell)
