r"""Normalize scores with a cohort (AS-norm).

e.g.: asdkit score-normalize --cohort-utt2spk data/train/utt2spk backend.npz \
        scp:exp/train/embedding.scp scp:exp/test/embedding.scp scores scores_as_norm

AS-norm with the 300 closest cohort members, or S-norm with --num-top 0.  The back-end
must be the one that made the scores; the cohort's speakers must not be in the trials.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options
from asdkit.base.outputs import OutputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.backends.normalization:cohort_stats", "num_top")
    parser.add_argument(
        "--cohort-utt2spk",
        metavar="FILE",
        help="speaker labels to average the cohort's embeddings by (default: every "
        "embedding is a member)",
    )
    parser.add_argument(
        "--enroll-spk2utt",
        metavar="FILE",
        help="utterances of every enrolled model, as given to backend-score (default: "
        "a model is an utterance)",
    )
    parser.add_argument(
        "--enroll-vectors",
        metavar="RSPECIFIER",
        help="vectors of the enrollment utterances, as given to backend-score "
        "(default: the test vectors)",
    )
    parser.add_argument(
        "--cohort-means",
        metavar="FILE",
        type=OutputFile,
        help="where to write each embedding's mean score against the cohort, a "
        "quality measure for calibration-train (default: nowhere)",
    )
    parser.add_argument("backend", help="the back-end that made the scores (.npz)")
    parser.add_argument("cohort", help="rspecifier of the cohort's vectors")
    parser.add_argument("vectors", help="rspecifier of the vectors that were scored")
    parser.add_argument("scores", help="file of scores, as score-metrics takes it")
    parser.add_argument(
        "normalized", type=OutputFile, help="where to write; .npz: in binary"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.backends.pipeline import Pipeline
    from asdkit.io.score_formats import read_scores_of
    from asdkit.io.store import load_object
    from asdkit.io.tables import write_table
    from asdkit.io.trials import write_scores
    from asdkit.io.vectors import read_vectors
    from asdkit.verification.cohort import (
        find_sides,
        means_by_name,
        normalize_trials,
        read_cohort,
        stats_of_sides,
    )
    from asdkit.verification.rescoring import refuse_other_scores

    backend = load_object(args.backend, Pipeline)
    scores = read_scores_of(None, args.scores)
    cohort = read_cohort(args.cohort, args.cohort_utt2spk, backend)
    dim = cohort.x.shape[1]
    test = read_vectors(args.vectors, dim, args.cohort)
    enroll = None
    if args.enroll_vectors:
        enroll = read_vectors(args.enroll_vectors, dim, args.cohort)
    sides = find_sides(scores, args.scores, test, enroll, args.enroll_spk2utt)
    refuse_other_scores(backend, args.backend, sides, scores, args.scores)
    stats = stats_of_sides(backend, sides, cohort, args.num_top)
    if args.cohort_means:
        write_table(args.cohort_means, means_by_name(sides, stats))
    write_scores(args.normalized, scores, normalize_trials(scores, sides, stats))
