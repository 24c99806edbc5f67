"""List the enrolled speakers.

e.g.: asdkit profile-list --model model/ --profiles people.sqlite
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.inference.using import add_model, add_profiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_model(parser)
    add_profiles(parser)


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.using import list_profiles

    return list_profiles(Bundle.open(args.model), args.profiles)
