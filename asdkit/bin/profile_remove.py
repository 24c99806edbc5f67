"""Remove an enrolled speaker.

e.g.: asdkit profile-remove --profiles people.sqlite ann

All recordings of the speaker are deleted from the file and overwritten; copies of the
file elsewhere are yours to delete.
"""

from __future__ import annotations

import argparse

from asdkit.base.bundle_options import add_profiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_profiles(parser)
    parser.add_argument("name", help="name of the speaker")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    from asdkit.inference.profiles import Profiles

    count = Profiles(args.profiles, "").remove(args.name)
    return f"{args.profiles}: {count} enrollments of {args.name} removed"
