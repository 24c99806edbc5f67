"""Enroll recordings of a speaker.

e.g.: asdkit enroll --model model/ --profiles people.sqlite ann monday.wav tuesday.wav

Every recording is kept apart: its embedding, its file's name, how much speech it has;
no audio.  These are biometric data: see README, and asdkit profile-remove.
"""

from __future__ import annotations

import argparse

from asdkit.inference.using import add_channel, add_model, add_profiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_channel(parser)
    add_profiles(parser)
    parser.add_argument("name", help="name of the speaker")
    parser.add_argument("audio", nargs="+", help="sound files of this speaker")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.using import enroll

    bundle = Bundle.open(args.model)
    return enroll(bundle, args.profiles, args.name, args.audio, args.channel)
