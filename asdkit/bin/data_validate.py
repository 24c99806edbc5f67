"""Check data directories for errors, and repair them.

e.g.: asdkit data-validate --fix true data/train data/test

Shows the first twenty problems, each with its place and cure.  Plain Kaldi data
directories can be checked, too.  --fix keeps the originals in DIR/.backup and leaves
alone whatever needs a decision: contradictions, trials, missing audio.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir, hold
from asdkit.base.parsing import boolean

logger = logging.getLogger(__name__)
SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--fix",
        type=boolean,
        default=False,
        metavar="true|false",
        help="repair what can be repaired (default: false)",
    )
    add_options(
        parser, "asdkit.data.directory_validation:validate", "check_feats", "audio"
    )
    parser.add_argument("data_dir", nargs="+", help="directories to check")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.data.directory_validation import validate
    from asdkit.data.repair import repair

    problems, total = [], 0
    for data_dir in args.data_dir:
        if args.fix and Path(data_dir).is_dir():
            with hold(OutputDir(data_dir)):
                repair(data_dir)
        report = validate(data_dir, **options_of(validate, args))
        logger.info("data-validate: %s: %d problems", data_dir, report.num_problems)
        problems += report.problems()
        total += report.num_problems
    if problems:
        shown = "\n".join(map(str, problems[:SHOWN]))
        raise DataError(" ".join(args.data_dir), f"{total} problems\n{shown}")
