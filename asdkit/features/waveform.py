"""Raw samples as features, for networks with a front end of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor

from asdkit.features.framing import Features, to_samples


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waveform(Features):
    """One sample per frame, as it is in the recording.

    Where others count frames, e.g. of a chunk or of a batch, these are samples.

    Args:
        sample_frequency: sampling rate in Hz.
    """

    @property
    def dim(self) -> int:
        """D."""
        return 1

    @property
    def window_size(self) -> int:
        """One sample."""
        return 1

    @property
    def window_shift(self) -> int:
        """One sample."""
        return 1

    def batch(
        self,
        recordings: Iterable[np.ndarray | Tensor],
        seeds: Sequence[int] | None = None,
    ) -> list[np.ndarray]:
        """Give every recording another axis.

        Args:
            recordings: (L,) float32 each.
            seeds: ignored.

        Returns:
            (L, 1) float32 for each, which may share memory with the recording.
        """
        return [to_samples(samples).numpy()[:, None] for samples in recordings]
