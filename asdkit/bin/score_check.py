r"""Look for what is wrong with score files before their numbers are believed.

e.g.: asdkit score-check data/test/trials exp/scores
e.g.: asdkit score-check --flavor asvspoof2021 keys/LA/CM/trial_metadata.txt score.txt
e.g.: asdkit score-check --flavor asvspoof2019 --asv-scores data/eval/asv_scores \
        --asv-trials data/eval/asv_trials data/eval/utt2attack exp/cm/eval_scores

Missing, extra and repeated utterances, headers and separators, NaN, decisions in place
of scores, utterances that enroll a speaker, a flipped sign, scores of other rows, and
ASV scores of other attacks or too few spoofs: another year's, track's or part's.
"""

from __future__ import annotations

import argparse

from asdkit.base.errors import DataError
from asdkit.base.options import add_options
from asdkit.countermeasures import checks
from asdkit.countermeasures.evaluation import spoofing_metrics
from asdkit.countermeasures.keys import FLAVORS, of_subset, read_cm_key
from asdkit.data.problems import Report
from asdkit.io.words import first_words
from asdkit.metrics.flavors import VERIFICATION

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--flavor",
        choices=(*VERIFICATION, *FLAVORS),
        default="kaldi",
        help="whose formats (default: kaldi)",
    )
    add_options(
        parser,
        spoofing_metrics,
        asv_scores="scores of an ASV system to check, too",
        asv_trials="their key, if it is not in them",
        subset="part of the evaluation data; eval of ASVspoof 2021 if not given",
    )
    parser.add_argument(
        "--enrollment",
        metavar="FILE",
        help="utterances to enroll, which have no score: asv_enroll.spk2utt or the "
        "challenge's list",
    )
    parser.add_argument("trials", help="the key: trials, a protocol, utt2attack, ...")
    parser.add_argument("scores", nargs="+", help="files to check")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    report, said = Report(), []
    place = args.trials, args.flavor
    for path in args.scores:
        first_words(path)  # a file that is not there is no problem among others
        if args.flavor in VERIFICATION:
            said.append(checks.check_verification(args.trials, path, report))
        elif checks.are_pairs(path):
            said.append(checks.check_pairs(*place, path, report))
        else:
            options = args.subset, args.enrollment
            said.append(checks.check_cm(*place, path, report, *options))
    if args.asv_scores:
        key = of_subset(args.trials, read_cm_key(*place), args.subset)
        asv = args.asv_scores, args.asv_trials, args.flavor, key, report
        said.append(checks.check_asv(*asv, args.subset))
    if report.num_problems:
        shown = "\n".join(map(str, report.problems()[:SHOWN]))
        total = report.num_problems
        raise DataError(" ".join(args.scores), f"{total} problems\n{shown}")
    return "\n".join(said)
