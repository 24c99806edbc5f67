r"""Score trials with a trained back-end.

e.g.: asdkit backend-score backend.npz data/test/trials scp:exp/ivector.scp scores
e.g.: asdkit backend-score --enroll-spk2utt data/test/enroll.spk2utt \
        backend.npz data/test/trials scp:exp/ivector.scp scores

The first word of a trial is an utterance or, with --enroll-spk2utt, a model: the mean
of its utterances, whose number PLDA takes into account.
"""

from __future__ import annotations

import argparse
import logging

from asdkit.base.outputs import OutputFile

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--enroll-spk2utt",
        metavar="FILE",
        help="utterances of every enrolled model (default: a model is an utterance)",
    )
    parser.add_argument(
        "--enroll-vectors",
        metavar="RSPECIFIER",
        help="vectors of the enrollment utterances (default: the test vectors)",
    )
    parser.add_argument("backend", help="back-end from backend-train (.npz)")
    parser.add_argument(
        "trials", help="<enroll> <test> target|nontarget|spoof per line"
    )
    parser.add_argument("vectors", help="rspecifier, e.g. scp:exp/ivector.scp")
    parser.add_argument(
        "scores",
        type=OutputFile,
        help="where to write <enroll> <test> <score> lines; .npz: in binary",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import numpy as np

    from asdkit.backends.pipeline import Pipeline
    from asdkit.io.store import load_object
    from asdkit.io.trials import read_pairs, write_scores
    from asdkit.io.vectors import read_vectors

    pipeline = load_object(args.backend, Pipeline)
    trials = read_pairs(args.trials)
    vectors = read_vectors(args.vectors, pipeline.input_dim, args.backend)
    test = vectors.find(trials.test_ids, args.trials)
    if args.enroll_vectors:
        vectors = read_vectors(args.enroll_vectors, test.shape[1], args.backend)
    if args.enroll_spk2utt:
        enroll, n = vectors.average(args.enroll_spk2utt, trials.enroll_ids, args.trials)
    else:
        enroll = vectors.find(trials.enroll_ids, args.trials)
        n = np.ones(len(enroll), dtype=np.int64)
    scores = pipeline.score_trials(enroll, n, test, trials.enroll, trials.test)
    write_scores(args.scores, trials, scores)
    logger.info(
        "backend-score: %d trials, %d models of %d utterances, %d test utterances",
        len(trials),
        len(enroll),
        n.sum(),
        len(test),
    )
