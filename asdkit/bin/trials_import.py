"""Import a list of trials that names audio files.

e.g.: asdkit trials-import veri_test2.txt data/vox1 data/vox1/trials_o

`1 id10270/x6uYqmx31kE/00001.wav id10270/8jEAjG6SegY/00008.wav` becomes a trial of
voxceleb-prepare's utterances.  All of them must be in the data directory, and the keys
must agree with its speakers.
"""

from __future__ import annotations

import argparse
import logging

from asdkit.base.outputs import OutputFile

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("list", help="1|0 <file> <file> per line")
    parser.add_argument("data_dir", help="directory with utt2spk of its utterances")
    parser.add_argument(
        "trials", type=OutputFile, help="where to write; .npz: in binary"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.voxceleb import read_list
    from asdkit.data.derived import origin_of_utterances
    from asdkit.io.trials import write_trials

    trials = read_list(args.list, args.data_dir)
    origin = origin_of_utterances(args.data_dir)
    write_trials(args.trials, trials, origin=origin)
    num_targets = int(trials.is_target.sum())
    logger.info("trials-import: %d trials, %d of them target", len(trials), num_targets)
