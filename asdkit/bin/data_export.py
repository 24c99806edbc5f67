"""Write a data directory as Kaldi tables.

e.g.: asdkit data-export --prefix-speaker true data/train kaldi/data/train

The result passes utils/validate_data_dir.sh (with --no-text where there are no
transcripts).  Optional tables that do not cover every utterance are left out.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    owner = "asdkit.kaldi.export_data:export_directory"
    add_options(parser, owner, "prefix_speaker")
    parser.add_argument("data_dir", help="directory with manifests")
    parser.add_argument("kaldi_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.kaldi.export_data import export_directory

    export_directory(args.data_dir, args.kaldi_dir, args.prefix_speaker)
