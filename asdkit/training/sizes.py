"""Sizes of i-vector systems and small networks that suit the amount of training data.

Rules of thumb, from the recipes whose sizes were chosen by hand: synth/v1 (80 speakers,
640 utterances, 38 minutes) and speechocean762/v1 (85 speakers, 1,700 utterances, 122
minutes).  A corpus of your own deserves a search; this is where it can begin.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from asdkit.base.errors import FitError

FEWEST_SPKS = 4
FEWEST_UTTS = 40
FEWEST_MINUTES = 3.0
FRAMES_PER_MINUTE = 6000  # at the usual shift of 10 ms
FRAMES_PER_GAUSSIAN = 1500


class Sizes(NamedTuple):
    """Sizes of the models of a recipe.

    Attributes:
        num_gauss: Gaussians of the UBM.
        ivector_dim: dimension of the i-vectors.
        lda_dim: dimension to which LDA reduces them.
        num_epochs: epochs of the network.
    """

    num_gauss: int
    ivector_dim: int
    lda_dim: int
    num_epochs: int


def choose_sizes(num_spks: int, num_utts: int, minutes: float) -> Sizes:
    """Choose sizes by the amount of training data.

    Args:
        num_spks: speakers to train on.
        num_utts: their utterances.
        minutes: length of all utterances.

    Raises:
        FitError: this is too little to train anything on.

    Example:
        >>> choose_sizes(80, 640, 38)
        Sizes(num_gauss=128, ivector_dim=60, lda_dim=36, num_epochs=19)
    """
    counted = f"{num_spks} speakers, {num_utts} utterances and {minutes:.1f} minutes"
    if num_spks < FEWEST_SPKS or num_utts < FEWEST_UTTS or minutes < FEWEST_MINUTES:
        least = f"{FEWEST_SPKS} speakers, {FEWEST_UTTS} utterances and "
        least += f"{FEWEST_MINUTES:g} minutes"
        raise FitError(
            f"counted {counted} to train on; {least} are the least that makes sense",
            hint="record more people; or test a trained model on these recordings",
        )
    gaussians = minutes * FRAMES_PER_MINUTE / FRAMES_PER_GAUSSIAN
    num_gauss = 2 ** round(math.log2(gaussians))
    ivector_dim = min(400, max(20, num_utts // 100 * 10))
    return Sizes(
        num_gauss=min(2048, max(16, num_gauss)),
        ivector_dim=ivector_dim,
        lda_dim=min(num_spks - 1, ivector_dim * 3 // 5),
        num_epochs=min(40, max(6, round(12_000 / num_utts))),
    )
