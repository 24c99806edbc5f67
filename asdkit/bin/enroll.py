"""Enroll recordings of a speaker.

e.g.: asdkit enroll --model model/ --profiles people.sqlite ann monday.wav tuesday.wav

Every recording is kept apart: its embedding, its file's name, how much speech it has;
no audio.  These are biometric data: see README, and asdkit profile-remove.
"""

from __future__ import annotations

import argparse

from asdkit.base.bundle_options import add_channel, add_model, add_profiles


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
    from asdkit.inference.people import People
    from asdkit.inference.using import enrolled_text

    people = People(Bundle.open(args.model), args.profiles)
    done = people.enroll(args.name, args.audio, args.channel)
    return enrolled_text(args.profiles, done)
