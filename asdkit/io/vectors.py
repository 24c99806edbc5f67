"""Embeddings as a matrix: read, look up by id, average by model."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays, stack_vectors
from asdkit.io.tables import PathName, read_table

logger = logging.getLogger(__name__)


class Vectors(NamedTuple):
    """One vector per utterance.

    Attributes:
        source: source, for messages.
        keys: U utterances.
        x: (U, D) float64, one row per utterance.
    """

    source: str
    keys: list[str]
    x: np.ndarray

    def find(self, utts: Sequence[str], path: PathName) -> np.ndarray:
        """Look up the vectors of utterances.

        Args:
            utts: N of them.
            path: the file that names them, for messages.

        Returns:
            (N, D) vectors.

        Raises:
            DataError: some have no vector; the first three are named.
        """
        row_of = {key: row for row, key in enumerate(self.keys)}
        _refuse_unknown(path, utts, row_of, self.source)
        return self.x[[row_of[utt] for utt in utts]]

    def average(
        self, spk2utt: PathName, models: Sequence[str], path: PathName
    ) -> tuple[np.ndarray, np.ndarray]:
        """Average the vectors of every model's utterances, as Kaldi's ivector-mean.

        Args:
            spk2utt: the file with a line ``<model> <utt> <utt> ...`` for every model.
            models: M of them.
            path: the file that names them, for messages.

        Returns:
            (M, D) mean vectors and (M,) how many utterances each is the mean of.

        Raises:
            DataError: a model has no line or lists an utterance twice, or an
                utterance has no vector.
        """
        table = read_table(spk2utt)
        _refuse_unknown(path, models, table, spk2utt)
        utts = [table[model].split() for model in models]
        for model, of_model in zip(models, utts, strict=True):
            if len(set(of_model)) < len(of_model):
                (again, _), *_ = Counter(of_model).most_common(1)
                raise DataError(
                    spk2utt,
                    f"model {model!r} lists {again!r} twice",
                    hint="delete one: a model of n utterances counts as n",
                )
        n = np.array([len(of_model) for of_model in utts])
        x = self.find([utt for of_model in utts for utt in of_model], spk2utt)
        return np.add.reduceat(x, np.cumsum(n) - n, axis=0) / n[:, None], n


def read_vectors(
    rspecifier: str, dim: int | None = None, model: PathName = ""
) -> Vectors:
    """Read one vector per utterance.

    Args:
        rspecifier: Read one vector per utterance.
        dim: D of a model; None for any.
        model: file of that model, for messages.

    Raises:
        DataError: there are none, dimensions differ, or a value is not finite.
    """
    keys, x = stack_vectors(read_arrays(rspecifier), rspecifier)
    if dim not in (None, x.shape[1]):
        raise DataError(
            rspecifier,
            f"expected vectors of {dim} dimensions, as {model} takes, got {x.shape[1]}",
            hint="vectors and back-end must come from the same extractor",
        )
    zeros = np.flatnonzero(~x.any(axis=1))
    if len(zeros):
        logger.warning(
            "%s: %d of %d vectors are all zeros, which no utterance gives: %s",
            rspecifier,
            len(zeros),
            len(x),
            ", ".join(keys[row] for row in zeros[:3]) + (", ..." * (len(zeros) > 3)),
        )
    return Vectors(rspecifier, keys, x)


def _refuse_unknown(
    path: PathName, ids: Sequence[str], known: Iterable[str], source: PathName
) -> None:
    """Raise if ids are unknown; name the first three."""
    unknown = sorted(set(ids).difference(known))
    if unknown:
        names = ", ".join(map(repr, unknown[:3])) + (", ..." if unknown[3:] else "")
        raise DataError(
            path,
            f"{len(unknown)} of {len(set(ids))} ids are not in {source}: {names}",
            hint="add the missing ones, or remove these lines",
        )
