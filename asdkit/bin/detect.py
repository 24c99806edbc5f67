"""Detect spoofed speech in recordings.

e.g.: asdkit detect call.wav --model model/
e.g.: asdkit detect --model model/ recordings/

A directory stands for the sound files in it, a .txt or .scp file for those that its
lines name (the last word).  Prints for each how likely it is bona fide speech: a
log-likelihood ratio with a decision where the bundle has a calibration.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.inference.using import (
    add_deciding,
    add_model,
    as_table,
    fail_on,
    find_audio,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_deciding(parser)
    text = "sound files, directories of them, or lists (.txt, .scp)"
    parser.add_argument("audio", nargs="+", help=text)


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.bundle import Bundle

    bundle = Bundle.open(args.model)
    files = find_audio(args.audio)
    verdicts = [bundle.detect_voice(file, args.channel) for file in files]
    return fail_on(args.fail_on, verdicts, as_table(files, verdicts))
