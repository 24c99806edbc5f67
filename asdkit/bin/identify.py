"""Identify the speaker of a recording among those enrolled.

e.g.: asdkit identify --model model/ --profiles people.sqlite test.wav

Prints the enrolled speakers by score, the most likely first, or that the speaker is
unknown.  A person's score is the mean of those against each of their recordings.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.bundle_options import add_channel, add_model, add_profiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_channel(parser)
    add_profiles(parser)
    parser.add_argument("audio", help="sound file")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.people import People
    from asdkit.inference.using import ranking_table

    people = People(Bundle.open(args.model), args.profiles)
    return ranking_table(people.rank(args.audio, args.channel))
