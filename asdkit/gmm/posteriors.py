"""Frame posteriors in compressed rows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Posteriors(NamedTuple):
    """The Gaussians of every frame, in compressed sparse rows.

    Frame t has the pairs ``splits[t]:splits[t + 1]``, Gaussians rising.

    Attributes:
        splits: (T + 1,) int64, from 0 to P.
        gauss: (P,) int32 in [0, num_gauss).
        values: (P,) float32 posteriors; those of a frame sum to one.
        num_gauss: G.
    """

    splits: Tensor
    gauss: Tensor
    values: Tensor
    num_gauss: int

    def frames(self) -> Tensor:
        """Return the (P,) int64 frame of every pair."""
        t = torch.arange(len(self.splits) - 1, device=self.splits.device)
        return t.repeat_interleave(self.splits.diff(), output_size=len(self.gauss))
