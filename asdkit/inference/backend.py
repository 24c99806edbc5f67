"""Compare embeddings, and calibrate scores."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from asdkit.backends.calibration import Calibration
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.registry import SCORERS
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.references import reference_to
from asdkit.inference.score import LLR, Score
from asdkit.inference.trained_model import TrainedModel
from asdkit.io.store import load_model, load_object
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

KINDS = {"plda": "PLDA LLR", "cosine": "cosine", "dot": "dot product"}
WITH_AUDIO = (
    "to start from audio, load the network or extractor that made the embeddings, with "
    "backend= this file"
)


class Calibrator(TrainedModel):
    """A calibration, or a fusion of several systems, from calibration-train.

    Args:
        path: its file.
        model: the trained calibration.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> scores = np.concatenate([rng.normal(1, 1, 50), rng.normal(-1, 1, 50)])
        >>> model = Calibration().fit(scores[:, None], np.arange(100) < 50)
        >>> llr = Calibrator("calibration.npz", model).calibrate(0.8)
        >>> llr.kind, llr.is_calibrated, 0.5 < float(llr) < 5
        ('log-likelihood ratio', True, True)
    """

    def __init__(self, path: PathName, model: Calibration) -> None:
        numbers = np.append(model.weights_, model.offset_)
        if model.weights_.ndim != 1 or not np.isfinite(numbers.astype(float)).all():
            raise DataError(path, "damaged: expected finite weights and offset")
        number = model.num_systems
        what = "a calibration" if number == 1 else f"a fusion of {number} systems"
        super().__init__(path, what)
        self.model = model
        if model.measures:
            needs = f"it needs quality measures ({', '.join(model.measures)})"
            hint = "asdkit score-calibrate takes them from files"
            raise DataError(path, f"{needs}, which single scores lack", hint=hint)

    @classmethod
    def read(cls, path: PathName) -> Calibrator:
        """Read what calibration-train wrote.

        Raises:
            DataError: missing, damaged or another model, or it needs quality measures.
        """
        return cls(path, load_model(path, Calibration))

    def calibrate(self, *scores: Score | float) -> Score:
        """Turn a score, or one of each of several systems, into a calibrated one.

        Raises:
            AsdkitError: the number of scores is another than in training.
        """
        if len(scores) != self.model.num_systems:
            counts = f"{self.model.num_systems}, one per system, got {len(scores)}"
            raise AsdkitError(f"{self.path}: expected a number of scores of {counts}")
        x = np.array([[float(score) for score in scores]])
        return Score(float(self.calibrate_all(x)[0]), LLR, is_calibrated=True)

    def calibrate_all(self, x: np.ndarray) -> np.ndarray:
        """(N, K) scores of K systems -> (N,) LLRs; warn of scores that look strange."""
        names = [f"score {n}" for n in range(1, 1 + x.shape[1])]
        far, odd = self.model.strangers(x, names)
        for text in (*far, *odd):
            logger.warning("%s: %s", self.path, text)
        return np.asarray(self.model.score(x))


class Backend(TrainedModel):
    """A back-end from backend-train, which compares embeddings.

    Args:
        path: its file.
        pipeline: the trained back-end.
        calibrator: calibration of its scores; None: they stay as they are.

    Raises:
        DataError: the last step of the back-end is no scorer, or the calibration is a
            fusion of several systems.

    Example:
        >>> import numpy as np
        >>> from asdkit.backends.cosine import Cosine
        >>> backend = Backend("backend.npz", Pipeline([Cosine()]))
        >>> print(backend.score(np.array([1.0, 1.0]), np.array([2.0, 0.0])))
        cosine 0.7071 (not calibrated)
    """

    def __init__(
        self, path: PathName, pipeline: Pipeline, calibrator: Calibrator | None = None
    ) -> None:
        super().__init__(path, "a back-end")
        kinds = {kind: name for name, kind in SCORERS.items()}
        last = reference_to(type(pipeline.steps[-1]))
        if last not in kinds:
            problem = f"expected a last step of {', '.join(SCORERS)}, got {last.name}"
            raise DataError(path, problem, hint="asdkit backend-train makes one")
        if calibrator is not None and calibrator.model.num_systems != 1:
            problem = f"expected a calibration, got {calibrator.what}"
            raise DataError(calibrator.path, problem)
        self.pipeline = pipeline
        self.calibrator = calibrator
        self.kind = KINDS[kinds[last]]

    @classmethod
    def read(cls, path: PathName, calibration: PathName | None = None) -> Backend:
        """Read what backend-train wrote, and the calibration of its scores, if any.

        Raises:
            DataError: missing, damaged or another model; see the class, too.
        """
        pipeline = load_object(path, Pipeline)
        calibrator = None if calibration is None else Calibrator.read(calibration)
        return cls(path, pipeline, calibrator)

    def score(self, enroll: Any, test: Any) -> Score:
        """Tell how likely two embeddings are of the same speaker.

        Args:
            enroll: (E,) embedding; or (K, E), of K recordings of one speaker.
            test: (E,) embedding.

        Raises:
            AsdkitError: these are no embeddings, of another dimension, zero or NaN.
        """
        sides = []
        for side, name in (enroll, "enroll"), (test, "test"):
            x = np.asarray(side)
            if x.dtype.kind != "f" or x.ndim not in (1, 2) or not x.size:
                what = type(side).__name__
                got = f"{what} of shape {x.shape}" if x.ndim else what
                problem = f"{name}: a back-end compares embeddings, got {got}"
                raise AsdkitError(f"{self.path}: {problem}", hint=WITH_AUDIO)
            sides.append(np.atleast_2d(x).astype(np.float64))
        enrolled, tested = sides
        if len(tested) != 1:
            problem = f"test: expected one embedding, got {len(tested)}"
            raise AsdkitError(f"{self.path}: {problem}")
        self._require_comparable(enrolled, tested)
        mean, n = enrolled.mean(axis=0, keepdims=True), np.array([len(enrolled)])
        value = float(self.pipeline.score(mean, n, tested)[0, 0])
        if not np.isfinite(value):
            raise AsdkitError(f"{self.path}: its score is {value}")
        if self.calibrator is not None:
            return self.calibrator.calibrate(value)
        return Score(value, self.kind)

    def score_trials(
        self,
        enroll: np.ndarray,
        test: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Score many pairs of embeddings, see `TrainedModel.score_trials`.

        Raises:
            AsdkitError: an embedding is of another dimension, zero or NaN.
        """
        enroll, test = (np.asarray(x, np.float64) for x in (enroll, test))
        self._require_comparable(enroll, test)
        n = np.ones(len(enroll), dtype=int)
        values = self.pipeline.score_trials(enroll, n, test, rows, columns)
        if not np.isfinite(values).all():
            wrong = values[~np.isfinite(values)]
            raise AsdkitError(f"{self.path}: a score is {wrong[0]}")
        if self.calibrator is not None:
            return self.calibrator.calibrate_all(values[:, None])
        return values

    def _require_comparable(self, enroll: np.ndarray, test: np.ndarray) -> None:
        """Raise an AsdkitError unless (M, E) and (U, E) embeddings are such."""
        dim = self.pipeline.input_dim or enroll.shape[1]
        for x in (enroll, test):
            if x.shape[1] != dim:
                problem = f"expected embeddings of {dim} numbers, got {x.shape[1]}"
                raise AsdkitError(f"{self.path}: {problem}", hint=WITH_AUDIO)
            if not np.isfinite(x).all() or not x.any(axis=1).all():
                raise AsdkitError(f"{self.path}: an embedding is zero or not finite")


def cosine_backend(path: PathName, calibration: PathName | None = None) -> Backend:
    """Compare the embeddings of a model by their cosine."""
    calibrator = None if calibration is None else Calibrator.read(calibration)
    return Backend(path, Pipeline([Cosine()]), calibrator)
