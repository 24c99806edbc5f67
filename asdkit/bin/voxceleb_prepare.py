"""Prepare a data directory of VoxCeleb 1 or 2.

e.g.: asdkit voxceleb-prepare --part test /corpora/voxceleb1 data/test

The root holds vox1_meta.csv or vox2_meta.csv and, anywhere below, the speakers' folders
of .wav or .flac files.  An utterance is named id10270-x6uYqmx31kE-00001, as in Kaldi.
VoxCeleb2 comes as .m4a, which has to be converted first.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.voxceleb:prepare_voxceleb", "part")
    parser.add_argument("root", help="directory with the corpus and its meta.csv")
    parser.add_argument(
        "data_dir", type=OutputDir, help="where to write manifests and tables"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.voxceleb import prepare_voxceleb

    options = options_of(prepare_voxceleb, args)
    prepare_voxceleb(args.root, args.data_dir, **options)
