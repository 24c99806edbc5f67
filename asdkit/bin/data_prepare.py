"""Prepare a data directory of a folder of recordings.

e.g.: asdkit data-prepare recordings data/all
e.g.: asdkit data-prepare --speaker-from '([a-z]+)_[0-9]+' --split 20:10 x data/all

The speaker is in the path: the first folder below the given one, or the first group of
a regular expression.  Any rate and format that libsndfile reads; of several channels
the first.  Audio stays where it is.  Prints the numbers of files used and left out:
unreadable, copies of others, without a speaker, no audio.  With --split, data/all_train
and data/all_test are written beside data/all, of different speakers.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Answer
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.recordings:prepare_recordings")
    parser.add_argument("root", help="folder of recordings")
    parser.add_argument(
        "data_dir", type=OutputDir, help="where to write manifests and tables"
    )


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    from asdkit.corpora.recordings import prepare_recordings

    options = options_of(prepare_recordings, args)
    return prepare_recordings(args.root, args.data_dir, **options)
