"""Comparison of embeddings: back-end, cohort and calibration, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asdkit.backends.cosine import Cosine
from asdkit.backends.normalization import cohort_stats, normalize_scores
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.inference.backend import Backend, Calibrator
from asdkit.inference.score import Score
from asdkit.io.store import load_arrays, load_object
from asdkit.models.bundle_files import COPY

NORMALIZED = "AS-norm score"


class Comparison(NamedTuple):
    """Back-end, normalization and calibration of scores.

    Attributes:
        backend: trained steps.
        cohort: (K, E) embeddings of other speakers; None: no normalization.
        num_top: how many of them count.
        calibration: of the scores that come out; None: none.
    """

    backend: Backend
    cohort: np.ndarray | None
    num_top: int
    calibration: Calibrator | None

    @classmethod
    def read(
        cls, files: Mapping[str, Path], num_top: int, dim: int | None, name: str
    ) -> Comparison:
        """Read those of a bundle; without a back-end, embeddings' cosines count.

        Args:
            files: names of the bundle's files -> paths.
            num_top: how many of the cohort count.
            dim: E, which the cohort has to have; None where there is no cohort.
            name: for messages, where there is no back-end.
        """
        pipeline, cohort, calibration = Pipeline([Cosine()]), None, None
        if file := files.get("backend.npz"):
            pipeline, name = load_object(file, Pipeline), str(file)
        if file := files.get("cohort.npz"):
            cohort = _read_cohort(file, dim)
        if file := files.get("calibration.npz"):
            calibration = Calibrator.read(file)
        return cls(Backend(name, pipeline), cohort, num_top, calibration)

    def score(self, enroll: np.ndarray, test: np.ndarray) -> Score:
        """(K, E) embeddings of one speaker, (E,) of another or the same -> a score."""
        score = self.backend.score(enroll, test)
        if self.cohort is not None:
            pipeline = self.backend.pipeline
            model = enroll.astype(np.float64).mean(axis=0, keepdims=True)
            n = np.array([len(enroll)])
            sides = (model, n), (test.astype(np.float64)[None], np.ones(1, dtype=int))
            stats = [
                cohort_stats(pipeline, x, n, self.cohort, self.num_top)
                for x, n in sides
            ]
            value = normalize_scores(np.array([float(score)]), *stats)[0]
            score = Score(float(value), NORMALIZED)
        return score if self.calibration is None else self.calibration.calibrate(score)

    def score_trials(
        self,
        enroll: np.ndarray,
        test: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Score many pairs of embeddings, see `TrainedModel.score_trials`."""
        values = self.backend.score_trials(enroll, test, rows, columns)
        if self.cohort is not None:
            pipeline = self.backend.pipeline
            sides = [x.astype(np.float64) for x in (enroll, test)]
            ones = [np.ones(len(x), dtype=int) for x in sides]
            stats = [
                cohort_stats(pipeline, x, n, self.cohort, self.num_top)
                for x, n in zip(sides, ones, strict=True)
            ]
            chosen = [
                type(x)(x.mean[at], x.std[at])
                for x, at in zip(stats, (rows, columns), strict=True)
            ]
            values = normalize_scores(values, *chosen)
        if self.calibration is not None:
            values = self.calibration.calibrate_all(values[:, None])
        return np.asarray(values)


def _read_cohort(path: Path, dim: int | None) -> np.ndarray:
    """Read (K, E) embeddings to normalize scores with."""
    x = load_arrays(path, "Cohort")[1].get("x", np.zeros(0))
    if x.ndim != 2 or x.shape[1] != dim or x.dtype.kind != "f":
        problem = f"expected (K, {dim}) embeddings, got shape {x.shape} of {x.dtype}"
        raise DataError(path, problem, hint=COPY)
    if not np.isfinite(x).all():
        raise DataError(path, "an embedding is not finite", hint=COPY)
    return np.asarray(x)
