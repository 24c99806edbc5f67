"""Copy a data directory under other utterance ids, or a piece of every utterance.

e.g.: asdkit data-copy --crop-sec 3 --utt-prefix 3s- data/test data/test_3s

Trials and other tables are renamed with the utterances; speakers keep their names.
Audio stays where it is.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.data.copying import write_copy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        write_copy,
        utt_prefix="what comes before the ids of utterances and recordings",
        crop_sec="seconds to keep from the middle of longer utterances; 0: all",
    )
    parser.add_argument("data_dir", help="directory with manifests")
    parser.add_argument("copy_dir", help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    write_copy(args.data_dir, args.copy_dir, **options_of(write_copy, args))
