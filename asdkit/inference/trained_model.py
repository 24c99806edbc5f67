"""The verbs of trained models, and one clear error for those that one lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.inference.score import Score
from asdkit.inference.verdict import Verdict
from asdkit.io.tables import PathName


class TrainedModel:
    """A model from `asdkit.load`; subclasses implement the verbs that they support.

    Args:
        path: its file.
        what: what it is, e.g. "a speaker network".

    Attributes:
        path: its file.
        what: what it is.
    """

    def __init__(self, path: PathName, what: str) -> None:
        self.path = path
        self.what = what

    def __repr__(self) -> str:
        return f"<{self.what}: {self.path}>"

    def embed(self, audio: Any) -> np.ndarray:
        """Compute the (E,) float32 embedding of a recording.

        Raises:
            AsdkitError: the model has no embeddings of recordings.
        """
        self._refuse("embed recordings", EMBEDDERS)

    def embed_many(self, audios: Iterable[Any]) -> np.ndarray:
        """Compute the (N, E) float32 embeddings of N recordings.

        Raises:
            AsdkitError: the model has no embeddings of recordings.
        """
        self._refuse("embed recordings", EMBEDDERS)

    def score(self, enroll: Any, test: Any) -> Score:
        """Tell how likely two recordings or embeddings are of the same speaker.

        Raises:
            AsdkitError: the model does not compare speakers.
        """
        self._refuse("compare speakers", COMPARERS)

    def score_trials(
        self,
        enroll: np.ndarray,
        test: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Score many pairs of embeddings, as `score` does one.

        Args:
            enroll: (M, E) embeddings, of a recording each.
            test: (U, E) embeddings.
            rows: (N,) the enrolled one of every trial.
            columns: (N,) the tested one.

        Returns:
            (N,) scores; larger means the same speaker.

        Raises:
            AsdkitError: the model does not compare speakers.
        """
        self._refuse("compare speakers", COMPARERS)

    def detect(self, audio: Any) -> Score:
        """Tell how likely a recording is bona fide speech, and not spoofed.

        Raises:
            AsdkitError: the model is no countermeasure.
        """
        self._refuse("detect spoofed speech", DETECTORS)

    def detect_many(self, audios: Iterable[Any]) -> list[Score]:
        """Score N recordings as `detect` does.

        Raises:
            AsdkitError: the model is no countermeasure.
        """
        self._refuse("detect spoofed speech", DETECTORS)

    def verify(self, *audios: Any, channel: int | None = None) -> Verdict:
        """Decide whether the last recording is of the speaker of those before it.

        Raises:
            AsdkitError: the model is no bundle.
        """
        self._refuse("decide about speakers", BUNDLES)

    def calibrate(self, *scores: Score | float) -> Score:
        """Turn a score, or one of each of several systems, into a calibrated one.

        Raises:
            AsdkitError: the model is no calibration.
        """
        self._refuse("calibrate scores", CALIBRATIONS)

    def _refuse(self, verb: str, able: str) -> NoReturn:
        """Raise an AsdkitError that names this model, and one that has the verb."""
        raise AsdkitError(f"{self.path}: {self.what} does not {verb}", hint=able)


EMBEDDERS = (
    "load a network of speakers (nnet-train) or an i-vector extractor (ivector-train)"
)
COMPARERS = f"{EMBEDDERS}, with backend= if there is one"
DETECTORS = "load a countermeasure (cm-train or cm-gmm-train)"
BUNDLES = "load a directory that bundle-make wrote"
CALIBRATIONS = "load what calibration-train wrote, or give it as calibration="
