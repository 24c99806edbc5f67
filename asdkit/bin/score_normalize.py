r"""Normalize scores by what both sides of a trial score against a cohort.

e.g.: asdkit score-normalize --cohort-utt2spk data/train/utt2spk backend.npz \
        scp:exp/train/embedding.scp scp:exp/test/embedding.scp scores scores_as_norm

AS-norm with the cohort's 300 best, or S-norm with --num-top 0.  The back-end must be
the one that made the scores; the cohort's speakers must not be those of the trials.
"""

from __future__ import annotations

import argparse

from asdkit.backends.normalization import CohortStats, cohort_stats, normalize_scores
from asdkit.backends.pipeline import Pipeline
from asdkit.base.options import add_options
from asdkit.inference.normalization import (
    find_sides,
    means_by_name,
    read_cohort,
    stats_of_sides,
)
from asdkit.inference.rescoring import refuse_other_scores
from asdkit.io.store import load_object
from asdkit.io.tables import write_table
from asdkit.io.trials import read_scores, write_scores
from asdkit.io.vectors import read_vectors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, cohort_stats, num_top="highest scores that count, 0 for all")
    parser.add_argument(
        "--cohort-utt2spk",
        metavar="FILE",
        help="average the cohort by speaker (default: each embedding is a member)",
    )
    parser.add_argument(
        "--enroll-spk2utt", metavar="FILE", help="as given to backend-score"
    )
    parser.add_argument(
        "--enroll-vectors", metavar="RSPECIFIER", help="as given to backend-score"
    )
    parser.add_argument(
        "--cohort-means",
        metavar="FILE",
        help="write the mean score of every embedding against the cohort, a quality "
        "measure for calibration-train",
    )
    parser.add_argument("backend", help="the back-end that made the scores (.npz)")
    parser.add_argument("cohort", help="rspecifier, e.g. of the training embeddings")
    parser.add_argument("vectors", help="rspecifier, those that were scored")
    parser.add_argument("scores", help="<enroll> <test> <score> per line")
    parser.add_argument("normalized", help="where to write the normalized scores")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    backend = load_object(args.backend, Pipeline)
    scores = read_scores(args.scores)
    cohort = read_cohort(args.cohort, args.cohort_utt2spk, backend)
    dim = cohort.x.shape[1]
    test = read_vectors(args.vectors, dim, args.cohort)
    enroll = None
    if args.enroll_vectors:
        enroll = read_vectors(args.enroll_vectors, dim, args.cohort)
    sides = find_sides(scores, args.scores, test, enroll, args.enroll_spk2utt)
    refuse_other_scores(backend, args.backend, sides, scores, args.scores)
    stats = stats_of_sides(backend, sides, cohort, args.num_top)
    of_enroll, of_test = (
        CohortStats(*(values[rows] for values in stats))
        for rows in (sides.enroll[scores.enroll], sides.test[scores.test])
    )
    normalized = normalize_scores(scores.values, of_enroll, of_test)
    if args.cohort_means:
        write_table(args.cohort_means, means_by_name(sides, stats))
    write_scores(args.normalized, scores, normalized)
