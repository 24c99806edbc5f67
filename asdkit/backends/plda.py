"""Probabilistic LDA in the two-covariance form, trained and scored as Kaldi does."""

from __future__ import annotations

import logging

import numpy as np

from asdkit.backends.covariances import floor_variances, live_axes
from asdkit.backends.speaker_stats import SpeakerStats, speaker_stats
from asdkit.base.errors import FitError
from asdkit.base.ranges import Count, NonNegative, PositiveShare

logger = logging.getLogger(__name__)
UNSETTLED = 0.01  # nats per utterance that a late iteration may still gain
STEADY = 0.97  # as a share of the gain before; EM that settles gains less and less


class Plda:
    """Score pairs of embeddings by a log-likelihood ratio.

    The model of an embedding of speaker s is ``x = m + y_s + e`` with
    ``y_s ~ N(0, B)`` drawn once per speaker and ``e ~ N(0, W)`` per utterance.
    B and W are kept jointly diagonalized, as in Kaldi, so that every posterior
    below is element-wise.

    Args:
        num_iters: number of EM iterations.
        normalize_length: scale projected embeddings to the length that is expected of a
            mean over as many utterances.
        simple_length_norm: scale projected embeddings to the square root of the
            dimension instead.
        smoothing: share of the between-speaker covariance to add to the within-speaker
            covariance before scoring.
        covariance_floor: smallest variance within speakers, and smallest variance of a
            direction to keep, each relative to the largest.

    Attributes:
        mean_: (D,) m, the average of the speaker means.
        transform_: (E, D) A, such that A W A' = I and A B A' = diag(psi_); E is D, or
            the number of directions in which the training embeddings vary.
        psi_: (E,) between-speaker variances in that space, falling.

    Source: S. Ioffe, "Probabilistic linear discriminant analysis", ECCV 2006;
    N. Brummer and E. de Villiers, "The speaker partitioning problem",
    Odyssey 2010, for the two-covariance view; Kaldi, src/ivector/plda.cc, with
    which models and scores must agree.
    """

    mean_: np.ndarray
    transform_: np.ndarray
    psi_: np.ndarray

    def __init__(
        self,
        num_iters: Count = 10,
        normalize_length: bool = True,
        simple_length_norm: bool = False,
        smoothing: NonNegative = 0.0,
        covariance_floor: PositiveShare = 1e-6,
    ) -> None:
        self.num_iters = num_iters
        self.normalize_length = normalize_length
        self.simple_length_norm = simple_length_norm
        self.smoothing = smoothing
        self.covariance_floor = covariance_floor

    @property
    def input_dim(self) -> int:
        """D, the dimension of the embeddings."""
        return len(self.mean_)

    def fit(self, x: np.ndarray, spk: np.ndarray) -> Plda:
        """Estimate the model with EM, starting from B = W = I.

        Args:
            x: (U, D) embeddings, one row per utterance.
            spk: (U,) speaker label of every row, of any sortable type.

        Raises:
            FitError: no speaker has two utterances, all of every speaker are the
                same, or U <= D.
        """
        stats = speaker_stats(x, spk, "plda")
        num_utts, dim = stats.n.sum(), stats.means.shape[1]
        if num_utts <= dim:
            raise FitError(
                f"plda: {num_utts} utterances cannot fill {dim} dimensions",
                hint=f"train on more than {dim}, or reduce the dimension with lda",
            )
        self.mean_ = stats.means.mean(axis=0)
        axes = live_axes(stats.total, self.covariance_floor, "plda")
        stats = stats._replace(means=stats.means - self.mean_)
        self._run_em(stats if axes is None else stats.project(axes))
        if axes is not None:
            self.transform_ = self.transform_ @ axes.T
        return self

    def _run_em(self, stats: SpeakerStats) -> None:
        """Estimate the model from statistics around its mean that are of full rank."""
        num_utts, dim = stats.n.sum(), stats.means.shape[1]
        variances, axes, num_floored = floor_variances(
            stats.scatter / num_utts, self.covariance_floor, "plda: within speakers"
        )
        if num_floored:
            stats = stats._replace(scatter=num_utts * (axes * variances) @ axes.T)
        self.transform_, self.psi_ = np.eye(dim), np.ones(dim)
        objfs: list[float] = []
        for i in range(self.num_iters):
            objf = self._em_step(stats) / num_utts
            progress = f"iter {i + 1}/{self.num_iters}"
            logger.info("plda: %s: loglike/utt = %.4f", progress, objf)
            if objfs and objf < objfs[-1] - 1e-9 * abs(objfs[-1]):
                logger.warning(
                    "plda: loglike/utt fell from %.6f to %.6f", objfs[-1], objf
                )
            objfs.append(objf)
        gains = np.diff(objfs)
        if len(gains) > 1 and gains[-1] > max(UNSETTLED, STEADY * gains[-2]):
            logger.warning(
                "plda: EM does not converge: its last iteration raised loglike/utt by "
                "%.3g, the one before by %.3g; in some direction there is next to no "
                "variance within speakers",
                gains[-1],
                gains[-2],
            )

    def transform(self, x: np.ndarray, n: np.ndarray | int = 1) -> np.ndarray:
        """Project embeddings into the space where W = I and B is diagonal.

        Args:
            x: (U, D) embeddings, or means of several of one speaker.
            n: (U,) numbers of averaged utterances, or one number for all.

        Returns:
            (U, E), length-normalized if the model is to do that.
        """
        transform, psi = self._smoothed()
        z = (x - self.mean_) @ transform.T
        if not self.normalize_length:
            return z
        expected = 1.0 if self.simple_length_norm else psi + 1 / np.reshape(n, (-1, 1))
        energy = (z**2 / expected).mean(axis=1, keepdims=True)  # (U, 1)
        return z / np.sqrt(np.where(energy > 0, energy, 1))

    def factors(
        self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Express all log-likelihood ratios as one matrix product.

        Given n utterances with mean e, a further one of the same speaker is
        N(m, v) with m = n psi / (n psi + 1) e and v = 1 + psi / (n psi + 1); one of
        another speaker is N(0, 1 + psi).  The log of the ratio is linear in t**2, t
        and 1.

        Args:
            enroll: (M, D) models, each the mean of its utterances.
            n: (M,) numbers of averaged utterances.
            test: (U, D) embeddings.

        Returns:
            (M, F) a and (U, F) b, such that the scores are a @ b.T.

        Source: Kaldi, Plda::LogLikelihoodRatio.
        """
        e, t = self.transform(enroll, n), self.transform(test)
        _, psi = self._smoothed()
        n = np.asarray(n, dtype=np.float64)[:, None]
        m = n * psi / (n * psi + 1) * e  # (M, E)
        v = 1 + psi / (n * psi + 1)  # (M, E)
        quadratic = 0.5 / (1 + psi) - 0.5 / v
        constant = 0.5 * (np.log((1 + psi) / v) - m**2 / v).sum(axis=1)
        if np.all(n == n[0]):
            # The quadratic terms depend on t only: half the work.
            a = [m / v, constant[:, None], np.ones((len(e), 1))]
            b = [t, np.ones((len(t), 1)), t**2 @ quadratic[0][:, None]]
        else:
            a = [m / v, constant[:, None], quadratic]
            b = [t, np.ones((len(t), 1)), t**2]
        return np.hstack(a), np.hstack(b)

    def score(self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Compare every model with every embedding.

        Args:
            enroll: (M, D) models, each the mean of its utterances.
            n: (M,) numbers of averaged utterances.
            test: (U, D) embeddings.

        Returns:
            (M, U) natural-log likelihood ratios; larger means the same speaker.
        """
        a, b = self.factors(enroll, n, test)
        return a @ b.T

    def _smoothed(self) -> tuple[np.ndarray, np.ndarray]:
        """Return A and psi after a share of B was added to W.

        Source: Kaldi, Plda::SmoothWithinClassCovariance.
        """
        w = 1 + self.smoothing * self.psi_
        return self.transform_ / np.sqrt(w)[:, None], self.psi_ / w

    def _em_step(self, stats: SpeakerStats) -> float:
        """Update the model; return its log-likelihood before the update.

        The means of the statistics are those around the model's mean.
        """
        num_spks, dim = stats.means.shape
        n = stats.n[:, None]
        num_utts = n.sum()
        a, psi = self.transform_, self.psi_

        # E step.  In A-space the posterior of y_s is N(y, diag(c)).
        z = stats.means @ a.T  # (K, D) projected speaker means
        c = psi / (1 + n * psi)  # (K, D)
        y = n * c * z  # (K, D)
        scatter = a @ stats.scatter @ a.T

        # log p(data): U - K within-speaker degrees of freedom, then K means.
        logdet_w = -2 * np.linalg.slogdet(a)[1]
        objf = -0.5 * (
            num_utts * (dim * np.log(2 * np.pi) + logdet_w)
            + np.trace(scatter)
            + np.sum(np.log1p(n * psi) + n * z**2 / (1 + n * psi))
        )

        # M step, then back out of A-space.
        b = (y.T @ y + np.diag(c.sum(axis=0))) / num_spks
        residual = z - y
        w = scatter + (n * residual).T @ residual + np.diag((n * c).sum(axis=0))
        rotation, self.psi_ = diagonalize(b, w / num_utts)
        self.transform_ = rotation @ a
        return float(objf)


def diagonalize(b: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the space in which speakers vary independently.

    Args:
        b: (D, D) covariance between speakers.
        w: (D, D) covariance within speakers.

    Returns:
        (D, D) A with A w A' = I and A b A' = diag(psi), and (D,) psi, falling.

    Raises:
        FitError: w is singular.
    """
    from scipy.linalg import eigh

    try:
        psi, axes = eigh(b, w)
    except np.linalg.LinAlgError:
        raise FitError(
            "plda: the within-speaker covariance is singular",
            hint="train on more utterances, or reduce the dimension with lda",
        ) from None
    return axes.T[::-1], np.maximum(psi[::-1], 0)
