"""Metrics of all pairs of utterances, none of which is written or kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from asdkit.backends.all_pairs import AllPairs
from asdkit.backends.normalization import CohortStats
from asdkit.backends.pipeline import Pipeline
from asdkit.base.answers import Table, number
from asdkit.base.errors import DataError
from asdkit.base.ranges import FilePath, Natural, Rspecifier
from asdkit.data.trial_lists import read_groups
from asdkit.io.store import load_object
from asdkit.io.tables import PathName, read_words
from asdkit.io.vectors import read_vectors
from asdkit.metrics.counted import CountedRoc
from asdkit.verification.cohort import Sides, read_cohort, stats_of_sides

P_TARGETS = (0.01, 0.001)


def all_pairs_metrics(
    backend_path: PathName,
    utt2spk: PathName,
    rspecifier: str,
    within: FilePath | None = None,
    cohort: Rspecifier | None = None,
    cohort_utt2spk: FilePath | None = None,
    num_top: Natural = 300,
) -> Table:
    """Measure a back-end on all unordered pairs of different utterances.

    The numbers are exact, those of trials-make, backend-score, score-normalize and
    score-metrics one after the other, in memory that does not depend on the number of
    nontarget trials.

    Args:
        backend_path: back-end from backend-train.
        utt2spk: speakers of the utterances.
        rspecifier: vectors of the utterances.
        within: table of speakers or utterances, e.g. spk2gender; only equal values are
            paired. None: pair all.
        cohort: rspecifier of a cohort's vectors, for AS-norm; None: no normalization.
        cohort_utt2spk: speaker labels to average the cohort's vectors by; None: every
            vector is a member.
        num_top: number of highest cohort scores to use; 0: all of them (S-norm).

    Raises:
        DataError: a file is wrong, an utterance has no vector, or a class is missing.
    """
    backend: Pipeline = load_object(backend_path, Pipeline)
    spk_of = read_words(utt2spk)
    groups = read_groups(within, spk_of)
    vectors = read_vectors(rspecifier, backend.input_dim, backend_path)
    utts = sorted(spk_of, key=lambda utt: (spk_of[utt], utt))
    x = vectors.find(utts, utt2spk)
    _, speaker = np.unique([spk_of[utt] for utt in utts], return_inverse=True)
    stats = None
    if cohort is not None:
        others = read_cohort(cohort, cohort_utt2spk, backend)
        rows = np.arange(len(x))
        sides = Sides(utts, x, np.ones(len(x), np.int64), rows, rows)
        stats = stats_of_sides(backend, sides, others, num_top)
    pairs = [
        AllPairs(
            backend, x[rows], speaker[rows], stats and CohortStats(*_at(stats, rows))
        )
        for rows in _rows_of_groups(utts, groups)
    ]
    roc = _count(utt2spk, pairs)
    interval, between = roc.eer_interval(), None
    if interval is not None:
        between = np.concatenate(
            [
                scores[(interval.low < scores) & (scores < interval.high)]
                for part in pairs
                for scores in part.nontargets()
            ]
        )
    titles = ["vectors", "EER %", "Kaldi EER %", *(f"minDCF({p:g})" for p in P_TARGETS)]
    values = [100 * roc.eer(between), 100 * roc.kaldi_eer()]
    values += map(roc.min_dcf, P_TARGETS)
    counts = [number(roc.num_targets), number(roc.num_nontargets)]
    cells = [number(value, ".4f") for value in values]
    return Table([*titles, "target", "nontarget"], [[rspecifier, *cells, *counts]])


def _count(path: PathName, pairs: list[AllPairs]) -> CountedRoc:
    """Score all pairs once."""
    target = np.concatenate([part.targets() for part in pairs])
    if not len(target):
        raise DataError(path, "no two utterances have the same speaker")
    roc = CountedRoc(target)
    for part in pairs:
        for scores in part.nontargets():
            roc.add(scores)
    if not roc.num_nontargets:
        raise DataError(path, "no two utterances have different speakers")
    return roc


def _rows_of_groups(
    utts: list[str], groups: Mapping[str, str] | None
) -> Iterator[np.ndarray]:
    """Yield the rows of the utterances of each group, rising."""
    if groups is None:
        yield np.arange(len(utts))
        return
    found = np.array([groups[utt] for utt in utts])
    for group in np.unique(found):
        yield np.flatnonzero(found == group)


def _at(stats: CohortStats, rows: np.ndarray) -> list[np.ndarray]:
    """Choose the statistics of some embeddings."""
    return [values[rows] for values in stats]
