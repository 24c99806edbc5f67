"""List the enrolled speakers.

e.g.: asdkit profile-list --model model/ --profiles people.sqlite
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.bundle_options import add_model, add_profiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_profiles(parser)


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.people import People
    from asdkit.inference.using import profile_table

    people = People(Bundle.open(args.model), args.profiles)
    return profile_table(people.profiles.read())
