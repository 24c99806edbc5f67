"""Countermeasures on embeddings: selection, training, scoring, model file."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from asdkit.base.errors import DataError, FitError
from asdkit.base.estimators import set_arrays, split_state
from asdkit.base.ranges import Natural
from asdkit.base.registry import construct, defaults_of
from asdkit.countermeasures.registry import CLASSIFIERS
from asdkit.data.agreement import require_agreement_of
from asdkit.io.protocols import BONAFIDE
from asdkit.io.store import load_object, save_arrays
from asdkit.io.tables import PathName, read_words
from asdkit.io.vectors import read_vectors
from asdkit.metrics.eer import eer

logger = logging.getLogger(__name__)
BLOCK = 1024  # utterances that are scored together
ROUNDING = 1e-6  # deviation, as a share of the mean, that is none


class Labeled(NamedTuple):
    """Embeddings of a known class.

    Attributes:
        x: (U, D) float64.
        is_bonafide: (U,) bool.
    """

    x: np.ndarray
    is_bonafide: np.ndarray


class EmbeddingCm:
    """A classifier of embeddings, from `CLASSIFIERS`, and their scaling.

    Args:
        name: a key of `CLASSIFIERS`.
        options: options of its constructor that differ from the defaults.
        standardize: standardize every dimension on the training data first, which the
            authors did not.

    Attributes:
        mean_: (D,) what is subtracted from embeddings.
        scale_: (D,) what they are divided by.
    """

    mean_: np.ndarray
    scale_: np.ndarray

    def __init__(
        self,
        name: str = "logistic",
        options: Mapping[str, Any] | None = None,
        standardize: bool = False,
    ) -> None:
        self.name = name
        self.options = {**defaults_of(CLASSIFIERS, name), **(options or {})}
        self.standardize = standardize
        self.classifier = construct(CLASSIFIERS, name, **self.options)

    def fit(self, data: Labeled) -> EmbeddingCm:
        """Learn from embeddings of both classes.

        Raises:
            FitError: a class is missing.
            AsdkitError: the classifier takes a package that is not installed.
        """
        x, is_bonafide = data
        if is_bonafide.all() or not is_bonafide.any():
            raise FitError(
                f"expected bona fide and spoofed utterances, got {is_bonafide.sum()} "
                f"and {(~is_bonafide).sum()}"
            )
        self.mean_, self.scale_ = np.zeros(x.shape[1]), np.ones(x.shape[1])
        if self.standardize:
            deviation = x.std(axis=0)
            self.mean_ = x.mean(axis=0)
            is_constant = deviation <= ROUNDING * np.abs(self.mean_)
            if is_constant.any():
                logger.warning(
                    "classifier: %d of %d dimensions do not vary and are not scaled",
                    is_constant.sum(),
                    len(is_constant),
                )
            self.scale_ = np.where(is_constant, 1.0, deviation)
        self.classifier.fit((x - self.mean_) / self.scale_, is_bonafide)
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """(N, D) embeddings -> (N,) scores; above 0 it is bona fide speech."""
        blocks = [x[first : first + BLOCK] for first in range(0, len(x), BLOCK)]
        score = self.classifier.score
        parts = [score((block - self.mean_) / self.scale_) for block in blocks]
        return np.concatenate([np.empty(0), *parts])

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return JSON values, and arrays."""
        options = {
            "name": self.name,
            "options": self.options,
            "standardize": self.standardize,
            "dim": len(self.mean_),
            "num_parameters": self.classifier.num_parameters,
        }
        arrays = split_state(self.classifier)[1].items()
        named = {f"classifier.{name}": array for name, array in arrays}
        return options, {"mean_": self.mean_, "scale_": self.scale_, **named}

    @classmethod
    def from_state(
        cls, options: Mapping[str, Any], arrays: Mapping[str, Any]
    ) -> EmbeddingCm:
        """Build what `to_state` described; needs neither scikit-learn nor XGBoost."""
        model = cls(options["name"], options["options"], options["standardize"])
        set_arrays(model, arrays)
        set_arrays(model.classifier, arrays, "classifier.")
        return model


def save_classifier(path: PathName, model: EmbeddingCm) -> None:
    """Write a model, atomically."""
    save_arrays(path, EmbeddingCm.__name__, *model.to_state())


def score_embeddings(rspecifier: str, path: PathName) -> tuple[list[str], np.ndarray]:
    """Score embeddings with a model from a file.

    Args:
        rspecifier: of U embeddings, e.g. ``scp:exp/stats/eval/embedding.scp``.
        path: model from `save_classifier`.

    Returns:
        U utterances and their (U,) scores; higher means bona fide.

    Raises:
        DataError: a file is missing or damaged, the dimensions differ, or a score is
            not finite.
    """
    model: EmbeddingCm = load_object(path, EmbeddingCm)
    vectors = read_vectors(rspecifier, len(model.mean_), path)
    scores = model.score(vectors.x)
    if not np.isfinite(scores).all():
        row = int(np.argmin(np.isfinite(scores)))
        raise DataError(path, f"its score of {vectors.keys[row]!r} is {scores[row]}")
    return vectors.keys, scores


def read_labeled(utt2attack: PathName, rspecifier: str) -> Labeled:
    """Read embeddings, and which of them are bona fide.

    Args:
        utt2attack: ``<utt> bonafide`` or another attack.
        rspecifier: the embeddings.

    Raises:
        DataError: a file is missing or damaged, or more utterances are in one of both
            than in both.
    """
    attacks, vectors = read_words(utt2attack), read_vectors(rspecifier)
    require_agreement_of(utt2attack, attacks)
    utts = [utt for utt in vectors.keys if utt in attacks]
    skipped = len(vectors.keys) - len(utts), len(attacks) - len(utts)
    counts = f"{skipped[0]} without an attack, {skipped[1]} without an embedding"
    logger.info("classifier: %s: %d utterances (%s)", utt2attack, len(utts), counts)
    if sum(skipped) > len(utts):
        raise DataError(
            rspecifier,
            f"only {len(utts)} of its utterances are in {utt2attack} ({counts})",
            hint="both must be of the same data directory",
        )
    is_bonafide = np.array([attacks[utt] == BONAFIDE for utt in utts], dtype=bool)
    return Labeled(vectors.find(utts, utt2attack), is_bonafide)


def train_classifier(
    name: str,
    grid: Mapping[str, Sequence[Any]],
    train: Labeled,
    dev: Labeled,
    standardize: bool = False,
    select: Literal["f1", "eer"] = "f1",
    seed: Natural = 0,
) -> dict[str, EmbeddingCm]:
    """Choose options on the development set, and train with them.

    Every combination is trained on the training set alone and judged on the development
    set; the first of equally good ones wins.

    Args:
        name: a key of `CLASSIFIERS`.
        grid: option -> values to try; others keep their default.
        train: to train on.
        dev: development set.
        standardize: standardize every dimension on the training data first.
        select: selection criterion on the development set: F1 for bona fide speech, or
            EER.
        seed: random seed of classifiers that need one.

    Returns:
        "train", the best one, trained on the training set; "train_dev", with the same
        options, trained on both sets, as the authors published it.

    Raises:
        FitError: a set lacks a class, or the dimensions of both sets differ.
        AsdkitError: the classifier takes a package that is not installed.
    """
    if train.x.shape[1] != dev.x.shape[1]:
        dims = f"{train.x.shape[1]} and {dev.x.shape[1]} dimensions"
        raise FitError(f"expected embeddings of one kind, got {dims}")
    fixed = {"seed": seed} if "seed" in defaults_of(CLASSIFIERS, name) else {}
    points = [
        dict(zip(grid, x, strict=True)) for x in itertools.product(*grid.values())
    ]
    best: tuple[float, EmbeddingCm] | None = None
    for number, point in enumerate(points, start=1):
        logger.info("classifier: %d/%d: %s", number, len(points), point or name)
        model = EmbeddingCm(name, point | fixed, standardize)
        f1, rate = _judge(model, train, dev)
        merit = f1 if select == "f1" else -rate
        if best is None or merit > best[0]:
            best = merit, model
    assert best is not None
    chosen = best[1]
    logger.info("classifier: chosen: %s %s", name, chosen.options)
    both = Labeled(*(np.concatenate(pair) for pair in zip(train, dev, strict=True)))
    refit = EmbeddingCm(name, chosen.options, standardize).fit(both)
    return {"train": chosen, "train_dev": refit}


def _judge(model: EmbeddingCm, train: Labeled, dev: Labeled) -> tuple[float, float]:
    """Train a model; return its F1 and its EER on the development set."""
    model.fit(train)
    if dev.is_bonafide.all() or not dev.is_bonafide.any():
        raise FitError("the development set lacks bona fide or spoofed utterances")
    scores = model.score(dev.x)
    f1 = f1_score(scores > 0, dev.is_bonafide)
    rate = eer(scores[dev.is_bonafide], scores[~dev.is_bonafide])
    text = "classifier: F1 = %.4f, EER = %.2f %%, parameters = %d"
    logger.info(text, f1, 100 * rate, model.classifier.num_parameters)
    return f1, rate


def f1_score(decided: np.ndarray, is_bonafide: np.ndarray) -> float:
    """Return the harmonic mean of precision and recall of bona fide speech.

    Args:
        decided: (N,) bool, decided to be bona fide.
        is_bonafide: (N,) bool, truly bona fide.
    """
    return float(
        2 * (decided & is_bonafide).sum() / (decided.sum() + is_bonafide.sum())
    )
