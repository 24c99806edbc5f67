"""Detect spoofed speech in recordings.

e.g.: asdkit detect call.wav --model model/
e.g.: asdkit detect --model model/ recordings/
e.g.: asdkit detect --model model/ --picture pictures/ call.wav

A directory stands for the sound files in it, a .txt or .scp file for those that its
lines name (the last word).  Prints for each how likely it is bona fide speech: a
log-likelihood ratio with a decision where the bundle has a calibration; and which
stretches are spoofed, in seconds, where its countermeasure was trained on those.  A
recording that cannot be judged gets a row that says why, and the exit code is 1.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.bundle_options import add_deciding, add_model
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_deciding(parser)
    parser.add_argument(
        "--picture",
        metavar="DIR",
        type=OutputDir,
        help="write a picture of each recording with its spoofed stretches marked "
        "(default: none)",
    )
    text = "sound files, directories of them, or lists (.txt, .scp)"
    parser.add_argument("audio", nargs="+", help=text)


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.pictures import picture_writer, require_localizing
    from asdkit.inference.stretches import with_stretches
    from asdkit.inference.using import as_table, detect_each, fail_on, find_audio

    bundle = Bundle.open(args.model)
    draw = None
    if args.picture:
        require_localizing(bundle, args.model)
        draw = picture_writer(args.picture, bundle)
    files = find_audio(args.audio)
    answers = detect_each(bundle, files, args.channel, draw)
    found = [getattr(answer, "stretches", None) for answer in answers]
    table = with_stretches(as_table(files, answers), found)
    return fail_on(args.fail_on, answers, table)
