r"""Check score files for errors before trusting them.

e.g.: asdkit score-check data/test/trials exp/scores
e.g.: asdkit score-check --flavor asvspoof2021 keys/LA/CM/trial_metadata.txt score.txt
e.g.: asdkit score-check --flavor asvspoof2019 --asv-scores data/eval/asv_scores \
        --asv-trials data/eval/asv_trials data/eval/utt2attack exp/cm/eval_scores

Finds missing, extra and repeated utterances, headers and separators, NaN, decisions in
place of scores, utterances that enroll a speaker, a flipped sign, shifted rows, and ASV
scores with other attacks or too few spoofs: another year's, track's or part's.
"""

from __future__ import annotations

import argparse

from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.metrics.flavor_names import SPOOFING, VERIFICATION

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--flavor",
        choices=(*VERIFICATION, *SPOOFING),
        default="kaldi",
        help="formats of the key and the scores (default: kaldi)",
    )
    add_options(
        parser,
        "asdkit.countermeasures.checks:check_all",
        *("asv_scores", "asv_trials", "subset", "enrollment"),
    )
    parser.add_argument("trials", help="key: trials, a protocol or utt2attack")
    parser.add_argument("scores", nargs="+", help="files to check")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    from asdkit.countermeasures.checks import check_all

    options = options_of(check_all, args)
    said, report = check_all(args.trials, args.scores, args.flavor, **options)
    if report.num_problems:
        shown = "\n".join(map(str, report.problems()[:SHOWN]))
        total = report.num_problems
        raise DataError(" ".join(args.scores), f"{total} problems\n{shown}")
    return said
