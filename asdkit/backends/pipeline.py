"""A back-end: steps that transform embeddings, then one that scores pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asdkit.backends.registry import STEPS
from asdkit.backends.speaker_stats import warn_of_repeats
from asdkit.backends.trial_scoring import score_listed
from asdkit.base.estimators import set_arrays, split_state
from asdkit.base.references import reference_to


class Pipeline:
    """Train steps in order, each on the output of the one before.

    Models of several utterances are averaged before the first step, as in Kaldi.

    Args:
        steps: estimators of `MAPS`, then one of `SCORERS`.
    """

    def __init__(self, steps: Sequence[Any]) -> None:
        self.steps = list(steps)

    @property
    def input_dim(self) -> int | None:
        """D, the dimension of the embeddings; None if any will do."""
        dims = (getattr(step, "input_dim", None) for step in self.steps)
        return next((dim for dim in dims if dim is not None), None)

    def fit(self, x: np.ndarray, spk: np.ndarray) -> Pipeline:
        """Train all steps.

        Args:
            x: (U, D) embeddings, one row per utterance.
            spk: (U,) speaker label of every row, of any sortable type.

        Raises:
            FitError: the data cannot support a step.
        """
        *maps, scorer = self.steps
        mapped = x
        for step in maps:
            mapped = step.fit(mapped, spk).transform(mapped)
        scorer.fit(mapped, spk)
        warn_of_repeats(x, spk)
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(U, D) embeddings -> (U, E), the input of the last step."""
        for step in self.steps[:-1]:
            x = step.transform(x)
        return x

    def score(self, enroll: np.ndarray, n: np.ndarray, test: np.ndarray) -> np.ndarray:
        """(M, D) means of (M,) utterances, (U, D) embeddings -> (M, U) scores."""
        return self.steps[-1].score(self.transform(enroll), n, self.transform(test))

    def score_trials(
        self,
        enroll: np.ndarray,
        n: np.ndarray,
        test: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Compare chosen pairs in bounded memory.

        Args:
            enroll: (M, D) models, each the mean of its utterances' embeddings.
            n: (M,) numbers of averaged utterances.
            test: (U, D) embeddings.
            rows: (N,) row of the model of every trial.
            columns: (N,) column of the test utterance of every trial.

        Returns:
            (N,) scores; larger means the same speaker.
        """
        enroll, test = self.transform(enroll), self.transform(test)
        a, b = self.steps[-1].factors(enroll, n, test)
        return score_listed(a, b, rows, columns)

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Describe the back-end by JSON values and arrays."""
        name_of = {kind: name for name, kind in STEPS.items()}
        steps = []
        arrays: dict[str, np.ndarray] = {}
        for i, step in enumerate(self.steps):
            options, fitted = split_state(step)
            arrays |= {f"{i}.{name}": array for name, array in fitted.items()}
            steps.append(
                {"step": name_of[reference_to(type(step))], "options": options}
            )
        return {"steps": steps}, arrays

    @classmethod
    def from_state(
        cls, options: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> Pipeline:
        """Build the back-end that `to_state` described.

        Raises:
            KeyError: an option or an array is missing, or a step unknown.
        """
        steps = [STEPS[step["step"]](**step["options"]) for step in options["steps"]]
        for i, step in enumerate(steps):
            set_arrays(step, arrays, f"{i}.")
        return cls(steps)
