"""Posteriors of the training speakers, from the similarity of their vectors.

A network teaches its posteriors over the training speakers.  Vectors have none; this is
how to get them: every utterance is scored against the mean of every speaker, its own
speaker's without itself, and a softmax of the scaled scores is a posterior.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from asdkit.base.errors import AsdkitError, FitError
from asdkit.distillation.teachers import Scorer, Teacher, VectorTeacher

TILE = 4096  # utterances scored at a time
FITTED = 20_000  # utterances that the scale is fitted on, at most
SCALES = (1e-3, 1e3)  # between which it is looked for


class SpeakerSimilarity:
    """Compare every utterance with every speaker, and with its own without itself.

    Args:
        x: (U, R) vectors, as the scorer takes them.
        labels: (U,) class of every utterance, 0 to K - 1.
        num_classes: K.
        scorer: compares means of vectors with vectors.

    Attributes:
        scale: factor of the scores, larger than 0, whose softmax over the classes has
            the smallest cross-entropy with the labels.

    Raises:
        FitError: a class has fewer than two utterances, or there are fewer than two
            classes.
    """

    def __init__(
        self, x: np.ndarray, labels: np.ndarray, num_classes: int, scorer: Scorer
    ) -> None:
        x = np.asarray(x, dtype=np.float64)
        n = np.bincount(labels, minlength=num_classes)
        if num_classes < 2 or n.min() < 2:
            raise FitError(
                "similarities of speakers: expected two or more, each with two "
                f"vectors or more, got {num_classes}, the least with {n.min()}",
                hint="leave out speakers with one utterance: asdkit data-subset",
            )
        self.labels = labels
        sums = np.zeros((num_classes, x.shape[1]))
        np.add.at(sums, labels, x)
        self._models, self._tests = scorer.factors(sums / n[:, None], n, x)
        others = (n[labels] - 1)[:, None]
        rest = (sums[labels] - x) / others  # (U, R) the speaker without the utterance
        a, b = scorer.factors(rest, others[:, 0], x)
        self._own = np.einsum("uf,uf->u", a, b)
        self.scale = self._fit_scale()

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Score utterances.

        Args:
            rows: (N,) which of the U utterances.

        Returns:
            (N, K) scores, those of their own speakers without themselves.
        """
        scores = self._tests[rows] @ self._models.T
        scores[np.arange(len(rows)), self.labels[rows]] = self._own[rows]
        return scores

    def log_posteriors(self, rows: np.ndarray) -> np.ndarray:
        """(N,) which of the utterances -> (N, K) log posteriors of the classes."""
        return log_softmax(self.scale * self.scores(rows))

    def mean_log_posteriors(self) -> np.ndarray:
        """(K, K) log of the mean posterior of the utterances of every speaker."""
        num_classes = len(self._models)
        total = np.zeros((num_classes, num_classes))
        for rows in self._tiles(np.arange(len(self.labels))):
            np.add.at(total, self.labels[rows], np.exp(self.log_posteriors(rows)))
        tiny = np.finfo(np.float64).tiny
        return np.log(np.maximum(total / total.sum(axis=1, keepdims=True), tiny))

    def cross_entropy(self, scale: float) -> float:
        """Compute the mean cross-entropy with the labels, in nats, under a scale."""
        every = -(-len(self.labels) // FITTED)
        rows = np.arange(0, len(self.labels), every)
        total = 0.0
        for tile in self._tiles(rows):
            found = log_softmax(scale * self.scores(tile))
            total -= found[np.arange(len(tile)), self.labels[tile]].sum()
        return total / len(rows)

    def _fit_scale(self) -> float:
        """Find the scale; the cross-entropy is convex in it."""
        from scipy.optimize import minimize_scalar

        found = minimize_scalar(
            lambda log_scale: self.cross_entropy(float(np.exp(log_scale))),
            bounds=np.log(SCALES),
            method="bounded",
            options={"xatol": 1e-3},
        )
        return float(np.exp(found.x))

    @staticmethod
    def _tiles(rows: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, len(rows), TILE):
            yield rows[start : start + TILE]


def log_softmax(x: np.ndarray) -> np.ndarray:
    """(N, K) logits -> (N, K) log posteriors."""
    x = x - x.max(axis=1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def labeled_vectors(
    teacher: Teacher, speakers: Mapping[str, str]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the vectors of the training utterances, with their classes.

    Args:
        teacher: vectors of all of them.
        speakers: speaker of every training utterance; classes are in the order of
            their names, as `asdkit.data.cuts.number_speakers` has it.

    Returns:
        (U, R) vectors in the order of ``speakers``, (U,) classes, and K.

    Raises:
        AsdkitError: the teacher is a network.
    """
    if not isinstance(teacher, VectorTeacher):
        raise AsdkitError(
            "a network teacher has no vectors of whole utterances",
            hint="--teacher scp:exp/ivectors/train/ivector.scp",
        )
    classes = {name: k for k, name in enumerate(sorted(set(speakers.values())))}
    labels = np.array([classes[name] for name in speakers.values()])
    return teacher.vectors(list(speakers)), labels, len(classes)
