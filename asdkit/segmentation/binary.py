"""Two-class segmentation: frame log odds to segments with minimum durations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from asdkit.segmentation.fsa import SOFT_BEAM, Segmenter, Topology


class BinarySegmenter:
    """Decide by the best path between two classes, absent (0) and present (1).

    Args:
        min_frames: minimum frames of a segment of either class.
        change_cost: cost of switching between the two, in nats.
        score_scale: scale of the log odds before costs are subtracted; successive
            frames are correlated, and count for less than independent ones.
        bias: bias added to the log odds first.

    Raises:
        AsdkitError: k2 is not installed.
    """

    def __init__(
        self,
        min_frames: tuple[int, int],
        change_cost: float,
        score_scale: float = 1.0,
        bias: float = 0.0,
    ) -> None:
        costs = (change_cost, change_cost)
        longest = max(min_frames)
        self._segmenter = Segmenter(
            Topology(min_frames, enter=costs),
            window=max(6000, longest),
            context=max(500, longest),
        )
        self.score_scale = score_scale
        self.bias = bias

    def decide(self, odds: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) log odds of class 1 -> N times (T,) bool, True for class 1."""
        paths = self._segmenter.best_paths([self._loglikes(part) for part in odds])
        return [path.numpy() == 1 for path in paths]

    def posterior_odds(self, odds: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Compute the log odds of class 1 in each frame over all paths.

        Args:
            odds: N times (T,) log odds of class 1, of frames by themselves.

        Returns:
            N times (T,) float32 within +- `asdkit.segmentation.fsa.SOFT_BEAM`.
        """
        parts = self._segmenter.posteriors([self._loglikes(part) for part in odds])
        least = float(np.exp(-SOFT_BEAM))  # what is less likely was not searched
        logs = [part.clamp(min=least).log() for part in parts]
        return [(part[:, 1] - part[:, 0]).numpy() for part in logs]

    def _loglikes(self, odds: np.ndarray) -> torch.Tensor:
        """(T,) log odds -> (T, 2) log-likelihoods."""
        scaled = self.score_scale * (odds + self.bias)
        return torch.from_numpy(np.stack([np.zeros_like(scaled), scaled], axis=1))
