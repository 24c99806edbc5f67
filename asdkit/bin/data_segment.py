"""Cut long recordings of a data directory in the pauses.

e.g.: asdkit data-segment --max-sec 8 data/all data/cut

Reads vad.scp (feats-compute, then vad-compute).  An utterance that would be too long is
cut in the longest pause of its second half.  Audio stays where it is: the manifests say
which part is meant.  utt2session names the recording that an utterance was cut from.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.segmented:write_segmented")
    parser.add_argument("data_dir", help="data directory with vad.scp")
    parser.add_argument("cut_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.segmented import write_segmented

    write_segmented(args.data_dir, args.cut_dir, **options_of(write_segmented, args))
