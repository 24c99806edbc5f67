"""Print the cost of an experiment on a larger corpus.

e.g.: asdkit plan exp/network --grow data/train 2360 1092009
e.g.: asdkit plan --gpu-tflops 60 --grow data/train 2360 1092009 exp/

Run the recipe on a part of the corpus first, or on two parts of different size, which
tells start-up from work.  Reads costs.jsonl, which programs leave, of the given
directories and below.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.parsing import parsing_of
from asdkit.base.ranges import Positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--grow",
        nargs=3,
        action="append",
        required=True,
        metavar=("DIR", "HOURS", "UTTS"),
        help="data directory, and the hours and utterances it is planned to have; may "
        "be repeated",
    )
    parser.add_argument(
        "--gpu-tflops",
        **parsing_of(Positive),
        help="also print the hours of trainings on one GPU that sustains so many "
        "10^12 operations per second (default: no GPU)",
    )
    parser.add_argument("exp_dir", nargs="+", help="directories with results")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.report.planning import plan_table, read_growth

    growths = [read_growth(*words) for words in args.grow]
    return plan_table(args.exp_dir, growths, args.gpu_tflops)
