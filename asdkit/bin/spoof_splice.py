"""Make partial spoofs of bona fide and spoofed speech.

e.g.: asdkit spoof-splice data/train data/train_spliced exp/wav/train_spliced

The manifest marks the spoofed parts, for cm-train --objective frame_labels and
segment-metrics.  N ranks write the same samples as one.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    names = "max_stretches", "min_sec", "max_sec", "fade_ms"
    add_options(parser, "asdkit.simulation.splicing:Splicer", *names)
    add_options(parser, "asdkit.corpora.spliced:write_spliced", "with_bonafide", "seed")
    parser.add_argument("data_dir", help="data directory with audio and utt2attack")
    parser.add_argument(
        "spliced_dir", type=OutputDir, help="where to write the new data directory"
    )
    parser.add_argument("audio_dir", type=OutputDir, help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.spliced import write_spliced
    from asdkit.simulation.splicing import Splicer

    splicer = Splicer(**options_of(Splicer, args))
    options = options_of(write_spliced, args)
    write_spliced(args.data_dir, args.spliced_dir, args.audio_dir, splicer, **options)
