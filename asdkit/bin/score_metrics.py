"""Print EER, minDCF and Cllr of score files.

e.g.: asdkit score-metrics data/test/trials exp/scores_plda exp/scores_cosine

EER is the mean of both error rates where they are nearest (ASVspoof's definition),
Kaldi EER what its compute-eer prints; they differ by about one target trial.  Cllr
is in bits and presumes that scores are natural-log likelihood ratios; minCllr is
what is left of it after the best calibration.
"""

from __future__ import annotations

import argparse

from asdkit.base.errors import DataError
from asdkit.io.trials import match_scores, read_scores, read_trials
from asdkit.metrics.table import verification_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("trials", help="<enroll> <test> target|nontarget per line")
    parser.add_argument(
        "scores", nargs="+", help="<enroll> <test> <score> per line, any order"
    )


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    trials = read_trials(args.trials)
    num_targets = int(trials.is_target.sum())
    if num_targets in (0, len(trials)):
        raise DataError(
            args.trials,
            f"expected target and nontarget trials, got {num_targets} target and "
            f"{len(trials) - num_targets} nontarget",
        )
    systems = {}
    for path in args.scores:
        values = match_scores(trials, read_scores(path), args.trials, path)
        systems[path] = values[trials.is_target], values[~trials.is_target]
    return verification_table(systems)
