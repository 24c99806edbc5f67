"""Pass every utterance through a telephone codec.

e.g.: asdkit codec-apply --codecs none,alaw,opus data/eval data/coded exp/wav/coded

The codecs are telephone (band-pass only), alaw, ulaw, gsm, g726, opus, vorbis and mp3;
with PyAV also g722 and amr.  One of those listed is drawn for each utterance and
recorded in utt2codec.  Length and sampling rate stay the same.  N ranks write the same
samples as one.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.changed:Codecs", "codecs", "seed")
    add_options(parser, "asdkit.corpora.changed:write_changed", "allow_pipes")
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument(
        "coded_dir", type=OutputDir, help="where to write the new data directory"
    )
    parser.add_argument("audio_dir", type=OutputDir, help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.changed import Codecs, write_changed

    codecs = Codecs(**options_of(Codecs, args))
    write_changed(
        args.data_dir,
        args.coded_dir,
        args.audio_dir,
        codecs,
        args.allow_pipes,
        note=lambda utt: {"codec": codecs.codec_of(utt)},
    )
