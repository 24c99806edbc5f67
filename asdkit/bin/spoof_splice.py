"""Make partial spoofs: overwrite stretches of bona fide speech by the speaker's spoofs.

e.g.: asdkit spoof-splice data/train data/train_spliced exp/wav/train_spliced

Which parts are spoofed is noted in the manifest, from where cm-train --objective
frame_labels and segment-metrics take it.  N ranks write the same samples as one.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.data.splicing import write_spliced
from asdkit.simulation.splicing import Splicer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        Splicer,
        max_stretches="spoofed stretches of an utterance, at most; at least one",
        min_sec="shortest stretch in seconds",
        max_sec="longest stretch in seconds",
        fade_ms="milliseconds of fading at both ends of a stretch",
    )
    add_options(
        parser,
        write_spliced,
        with_bonafide="whether the originals are listed, too, as they are",
        seed="other seeds draw other stretches",
    )
    parser.add_argument("data_dir", help="data directory with audio and utt2attack")
    parser.add_argument("spliced_dir", help="where to write the new data directory")
    parser.add_argument("audio_dir", help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    splicer = Splicer(**options_of(Splicer, args))
    options = options_of(write_spliced, args)
    write_spliced(args.data_dir, args.spliced_dir, args.audio_dir, splicer, **options)
