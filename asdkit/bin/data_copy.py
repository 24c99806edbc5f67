"""Copy a data directory under new utterance ids.

e.g.: asdkit data-copy --crop-sec 3 --utt-prefix 3s- data/test data/test_3s

Trials and other tables are renamed along with the utterances; speakers keep their
names.  Audio stays where it is.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    names = "utt_prefix", "crop_sec"
    add_options(parser, "asdkit.corpora.copied:write_copy", *names)
    parser.add_argument("data_dir", help="directory with manifests")
    parser.add_argument("copy_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.copied import write_copy

    write_copy(args.data_dir, args.copy_dir, **options_of(write_copy, args))
