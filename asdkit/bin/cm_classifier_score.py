r"""Score embeddings with a spoofing classifier.

e.g.: asdkit cm-classifier-score scp:exp/stats/eval/embedding.scp \
        exp/stats_svm/seed0/train exp/stats_svm/seed0/train/scores_eval

Writes ``<utt> <score>`` lines; higher means bona fide, and scores above 0 are decisions
for it.  Needs neither scikit-learn nor a network.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from asdkit.base.outputs import OutputFile

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("vectors", help="rspecifier of embeddings")
    parser.add_argument("cm_dir", help="directory with classifier.npz")
    parser.add_argument("scores", type=OutputFile, help="where to write the scores")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.countermeasures.embeddings import score_embeddings
    from asdkit.io.cm_scores import write_cm_scores

    model = Path(args.cm_dir) / "classifier.npz"
    utts, scores = score_embeddings(args.vectors, model)
    write_cm_scores(args.scores, utts, scores)
    logger.info("cm-classifier-score: %s: %d scores", args.scores, len(utts))
