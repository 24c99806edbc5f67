"""Inputs of score normalization: the cohort, and both sides of the trials.

Every embedding is compared with the cohort once, however many trials it is in, and
once only where it is enrolled in some trials and tested in others.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np

from asdkit.backends.normalization import (
    CohortStats,
    cohort_stats,
    normalize_scores,
    speaker_means,
)
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_words
from asdkit.io.trials import Pairs, Scores
from asdkit.io.vectors import Vectors, read_vectors

logger = logging.getLogger(__name__)


class Sides(NamedTuple):
    """Embeddings of enrolled models and test utterances, none twice.

    Attributes:
        names: U of both kinds.
        x: (U, D) embeddings, or means of a model's.
        n: (U,) numbers of averaged utterances.
        enroll: (M,) rows of the enrolled models, in the order of the trials' models.
        test: (T,) rows of the test utterances.
    """

    names: list[str]
    x: np.ndarray
    n: np.ndarray
    enroll: np.ndarray
    test: np.ndarray


def read_cohort(
    rspecifier: str, utt2spk: PathName | None, backend: Pipeline
) -> Vectors:
    """Read a cohort of utterances, or of speakers.

    Args:
        rspecifier: embeddings of utterances, e.g. of the training data.
        utt2spk: speakers to average embeddings by; None to use every embedding as a
            member.
        backend: the back-end that made the scores.

    Raises:
        DataError: fewer utterances have a speaker than have none.
    """
    cohort = read_vectors(rspecifier, backend.input_dim, "the back-end")
    if utt2spk is None:
        return cohort
    table = read_words(utt2spk)
    utts = [utt for utt in cohort.keys if utt in table]
    without = len(cohort.keys) - len(utts)
    if without > len(utts):
        raise DataError(
            rspecifier,
            f"only {len(utts)} of its {len(cohort.keys)} utterances are in {utt2spk}",
            hint="both must be of the same data directory",
        )
    spk = np.array([table[utt] for utt in utts])
    x = speaker_means(cohort.find(utts, utt2spk), spk)
    logger.info(
        "cohort: %d speakers of %d utterances, %d without a speaker",
        len(x),
        len(utts),
        without,
    )
    return Vectors(rspecifier, np.unique(spk).tolist(), x)


def find_sides(
    pairs: Pairs,
    path: PathName,
    test: Vectors,
    enroll: Vectors | None = None,
    spk2utt: PathName | None = None,
) -> Sides:
    """Look up the embeddings of trials.

    Args:
        pairs: the trials.
        path: file of the trials, for messages.
        test: embeddings of test utterances.
        enroll: embeddings of enrollment utterances; None for the same as test.
        spk2utt: utterances of enrolled models; None if they are utterances.

    Raises:
        DataError: some have no embedding; the first three are named.
    """
    if enroll is None and spk2utt is None:
        names = list(dict.fromkeys([*pairs.enroll_ids, *pairs.test_ids]))
        row_of = {name: row for row, name in enumerate(names)}
        rows = [
            np.array([row_of[name] for name in ids])
            for ids in (pairs.enroll_ids, pairs.test_ids)
        ]
        x = test.find(names, path)
        return Sides(names, x, np.ones(len(x), dtype=np.int64), *rows)
    num_models, num_tests = len(pairs.enroll_ids), len(pairs.test_ids)
    enroll = enroll or test
    if spk2utt is None:
        models = enroll.find(pairs.enroll_ids, path)
        n = np.ones(num_models, dtype=np.int64)
    else:
        models, n = enroll.average(spk2utt, pairs.enroll_ids, path)
    return Sides(
        [*pairs.enroll_ids, *pairs.test_ids],
        np.vstack([models, test.find(pairs.test_ids, path)]),
        np.append(n, np.ones(num_tests, dtype=np.int64)),
        np.arange(num_models),
        num_models + np.arange(num_tests),
    )


def stats_of_sides(
    backend: Pipeline, sides: Sides, cohort: Vectors, num_top: int
) -> CohortStats:
    """Compute the statistics of both sides against the cohort; see `cohort_stats`.

    Raises:
        DataError: an embedding scores the same against all, so that it has no scale.
        FitError: fewer than two scores count.
    """
    known = len(set(cohort.keys).intersection(sides.names))
    if known:
        logger.warning("cohort: %d of the trials' embeddings are in it", known)
    stats = cohort_stats(backend, sides.x, sides.n, cohort.x, num_top)
    flat = np.flatnonzero(stats.std == 0)
    if len(flat):
        raise DataError(
            cohort.source,
            f"all top members score the same against {len(flat)} of "
            f"{len(sides.names)} embeddings: {sides.names[flat[0]]!r}, ...",
            hint="an embedding of zeros, or a cohort that repeats one",
        )
    return stats


def normalize_trials(scores: Scores, sides: Sides, stats: CohortStats) -> np.ndarray:
    """Normalize scores by the statistics of both sides: (N,) larger means target."""
    enroll, test = (
        CohortStats(*(values[rows] for values in stats))
        for rows in (sides.enroll[scores.enroll], sides.test[scores.test])
    )
    return normalize_scores(scores.values, enroll, test)


def means_by_name(sides: Sides, stats: CohortStats) -> dict[str, str]:
    """Tabulate the mean scores against the cohort, a quality measure.

    Raises:
        DataError: a model and a test utterance share a name but not an embedding.
    """
    table: dict[str, str] = {}
    for name, mean in zip(sides.names, stats.mean.tolist(), strict=True):
        text = f"{mean:.7g}"
        if table.setdefault(name, text) != text:
            raise DataError(name, "names both a model and another test utterance")
    return table
