"""List all unordered pairs of a data directory's utterances as trials.

e.g.: asdkit trials-make data/test data/test/trials
e.g.: asdkit trials-make --within data/test/spk2gender data/test data/test/trials
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.data.trials import group_utterances, pair_utterances
from asdkit.io.tables import read_table
from asdkit.io.trials import write_trials

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--within",
        metavar="FILE",
        help="pair only equal values of this table of speakers or utterances, "
        "e.g. spk2gender (default: pair all)",
    )
    parser.add_argument("data_dir", help="directory with utt2spk")
    parser.add_argument("trials", help="where to write the trials")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    utt2spk = read_table(Path(args.data_dir) / "utt2spk")
    utt2group = None
    if args.within:
        utt2group, without = group_utterances(utt2spk, read_table(args.within))
        if without:
            raise DataError(
                args.within,
                f"{len(without)} of {len(utt2spk)} utterances have no value here, nor "
                f"have their speakers: {without[0]!r} of {utt2spk[without[0]]!r}, ...",
            )
    trials = pair_utterances(utt2spk, utt2group)
    num_targets = int(trials.is_target.sum())
    if num_targets in (0, len(trials)):
        raise DataError(
            Path(args.data_dir) / "utt2spk",
            f"expected target and nontarget pairs, got {num_targets} target and "
            f"{len(trials) - num_targets} nontarget",
        )
    write_trials(args.trials, trials)
    logger.info("trials-make: %d trials, %d of them target", len(trials), num_targets)
