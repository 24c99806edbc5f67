"""Front end of a model: stored features to the frames it is trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asdkit.base.ranges import Count, Natural
from asdkit.features.cmn import sliding_cmn
from asdkit.features.deltas import add_deltas


@dataclass(frozen=True)
class FrontEnd:
    """Append deltas, subtract a sliding mean, keep the voiced frames.

    In this order, so that mean and derivatives see the pauses as well.  A model
    keeps the options of the front end that it was trained with.

    Args:
        delta_window: frames on each side used for a time derivative.
        delta_order: order of the highest time derivative to append; 0: none.
        cmn_window: frames of the sliding window for mean subtraction; 0: none.

    Source: Kaldi, egs/sre08/v1/sid/train_diag_ubm.sh and its companions.
    """

    delta_window: Count = 3
    delta_order: Natural = 2
    cmn_window: Natural = 300

    @property
    def options(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return asdict(self)

    def __call__(
        self, feats: np.ndarray, voiced: np.ndarray | None = None
    ) -> np.ndarray:
        """Prepare the frames of one utterance.

        Args:
            feats: (T, D).
            voiced: (T,) bool, None to keep all frames.

        Returns:
            (V, D') float32.

        Raises:
            ValueError: the two lengths differ.
        """
        if voiced is not None and len(voiced) != len(feats):
            raise ValueError(f"{len(feats)} frames but {len(voiced)} decisions")
        if self.delta_order:
            feats = add_deltas(feats, self.delta_window, self.delta_order)
        if self.cmn_window:
            feats = sliding_cmn(feats, self.cmn_window, center=True)
        if voiced is not None:
            feats = feats[voiced]
        return np.ascontiguousarray(feats, dtype=np.float32)
