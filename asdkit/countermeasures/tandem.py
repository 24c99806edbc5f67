"""Tandem fusion: one score from an ASV system and a countermeasure.

The ASV system's score and the countermeasure's (CM's) are calibrated first, so that
both are log-likelihood ratios: a of target to nontarget, c of bona fide to spoofed.
Then either, treating the two as independent evidence,

    s = a + c                                                                       (1)

or, against an opponent who is a spoof with probability rho and else a nontarget,

    s = -log[(1 - rho) exp(-a) + rho exp(-c)]                                       (2)

which is the log-likelihood ratio of a target to that mixture.  In (1) a very good voice
match can outweigh what the CM says; in (2) it cannot, since the smaller of the two
decides.  rho is chosen on the development trials.

Source: X. Wang et al., "Revisiting and improving scoring fusion for spoofing-aware
speaker verification using compositional data analysis", Interspeech 2024.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

import numpy as np

from asdkit.backends.calibration import Calibration
from asdkit.backends.familiarity import range_of, strange_columns
from asdkit.base.errors import DataError, FitError
from asdkit.base.ranges import Count, NonNegative
from asdkit.io.protocols import ASV_KEYS
from asdkit.io.tables import PathName
from asdkit.metrics.detection_costs import ASVSPOOF
from asdkit.metrics.sasv import a_dcf

logger = logging.getLogger(__name__)
WIDEST = 8.0  # log odds of the rarest and the most frequent spoofs that are tried


class TandemFusion:
    """Fuse the scores of an ASV system and a CM, nonlinearly (2) or linearly (1).

    Args:
        form: nonlinear: log-likelihood ratio against a mixture of nontargets and
            spoofs; linear: sum of both systems' log-likelihood ratios.
        num_rhos: number of spoof probabilities to try, equally spaced in log odds; odd,
            so that 0.5 is one of them.
        ridge: penalty on the calibration weights of both systems; above 0, so that
            systems without an error on the development trials can be fused.

    Attributes:
        asv_: (2,) weight and offset that make ASV scores log-likelihood ratios.
        cm_: (2,) those of the CM.
        rho_: () the probability of a spoof in (2); 0.5 in (1), which has none.
        seen_: (4, 2) the range of the development scores; not in files of old.
    """

    asv_: np.ndarray
    cm_: np.ndarray
    rho_: np.ndarray

    def __init__(
        self,
        form: Literal["nonlinear", "linear"] = "nonlinear",
        num_rhos: Count = 65,
        ridge: NonNegative = 1e-4,
    ) -> None:
        self.form = form
        self.num_rhos = num_rhos
        self.ridge = ridge

    def fit(self, asv: np.ndarray, cm: np.ndarray, key: np.ndarray) -> TandemFusion:
        """Calibrate both systems, and choose rho for the lowest a-DCF.

        The ASV system is calibrated without spoofs, the CM with targets and nontargets
        alike.

        Args:
            asv: (N,) ASV scores of development trials; higher means target.
            cm: (N,) CM scores of their test utterances; higher means bona fide.
            key: (N,) str, "target", "nontarget" or "spoof".

        Raises:
            FitError: a class is missing, or a score is not finite.
        """
        missing = set(ASV_KEYS) - set(np.unique(key).tolist())
        if missing:
            raise FitError(f"tandem: there is no {' and no '.join(sorted(missing))}")
        is_bonafide = key != "spoof"
        self.seen_ = range_of(np.stack([asv, cm], axis=1))
        self.asv_ = self._calibrate(asv[is_bonafide], key[is_bonafide] == "target")
        self.cm_ = self._calibrate(cm, is_bonafide)
        rhos = np.array([0.5])
        if self.form == "nonlinear":
            log_odds = np.linspace(-WIDEST, WIDEST, self.num_rhos)
            rhos = 1 / (1 + np.exp(-log_odds))
        costs = []
        for self.rho_ in rhos:
            fused = self.score(asv, cm)
            target, nontarget, spoof = (fused[key == name] for name in ASV_KEYS)
            costs.append(a_dcf(target, nontarget, spoof, ASVSPOOF))
        # The middle of all that are least; those at the edge are least robust.
        best = np.flatnonzero(np.array(costs) <= min(costs) + 1e-12)
        self.rho_ = rhos[best[len(best) // 2]]
        logger.info(
            "tandem: %s: rho = %.4g, a-DCF = %.4f", self.form, self.rho_, min(costs)
        )
        return self

    def score(self, asv: np.ndarray, cm: np.ndarray) -> np.ndarray:
        """(N,) ASV scores and (N,) CM scores as in `fit` -> (N,) fused scores."""
        llr_asv = self.asv_[0] * asv + self.asv_[1]
        llr_cm = self.cm_[0] * cm + self.cm_[1]
        if self.form == "linear":
            return llr_asv + llr_cm  # (1)
        return -np.logaddexp(  # (2)
            np.log1p(-self.rho_) - llr_asv, np.log(self.rho_) - llr_cm
        )

    def refuse_strangers(
        self, asv: np.ndarray, cm: np.ndarray, paths: Sequence[PathName]
    ) -> None:
        """Refuse scores unlike those of the development trials.

        Args:
            asv: (N,) as in `fit`.
            cm: (N,) likewise.
            paths: the files of both, for messages.

        Raises:
            DataError: they must be another system's.
        """
        names, scores = [f"{path}" for path in paths], np.stack([asv, cm], axis=1)
        far, odd = strange_columns(scores, getattr(self, "seen_", None), names)
        for text in odd:
            logger.warning("tandem: %s", text)
        if far:
            hint = "dev and eval must be scored by the same ASV system and the same CM"
            raise DataError("tandem", "; ".join(far), hint=hint)

    def _calibrate(self, scores: np.ndarray, is_target: np.ndarray) -> np.ndarray:
        """Fit an affine map of (N,) scores: (2,) weight and offset."""
        model = Calibration(ridge=self.ridge).fit(scores[:, None], is_target)
        return np.array([model.weights_[0], model.offset_])
