"""Find single numbers that give spoofed speech away.

e.g.: asdkit leak-check data/eval
e.g.: asdkit leak-check --min-eer 35 --json data/eval > leaks.json

Mean, length and its remainders, level, noise floor, silence, zeros, bands without
speech, odd samples and clipping: each alone as a countermeasure, every attack against
bona fide speech and all pooled, in the direction that is better.  A remainder scores by
how often each class has it among the other speakers.  What is below --min-eer, and not
by chance (5 % for all figures together), is a leak, and the exit code is 1: a network
trained or tested on such a corpus may have learned how files were made.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import CheckFailed, Table
from asdkit.base.options import add_options, options_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    name = "asdkit.corpora.leaks:check_leaks"
    add_options(parser, name, "min_eer", "allow_pipes")
    parser.add_argument("data_dir", help="data directory with audio and utt2attack")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.corpora.leaks import check_leaks

    table, leak = check_leaks(args.data_dir, **options_of(check_leaks, args))
    if leak:
        raise CheckFailed(table, f"{args.data_dir}: {leak}")
    return table
