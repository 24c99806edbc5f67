"""Options that the programs of a bundle's users share."""

from __future__ import annotations

import argparse

from asdkit.base.parsing import parsing_of
from asdkit.base.ranges import Natural


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the bundle."""
    text = "directory that bundle-make wrote"
    parser.add_argument("--model", required=True, metavar="DIR", help=text)


def add_channel(parser: argparse.ArgumentParser) -> None:
    """Declare the channel."""
    parser.add_argument(
        "--channel",
        **parsing_of(Natural),
        help="channel to use of files with several, counted from 0 (default: the only "
        "one, or any of several that are the same)",
    )


def add_deciding(parser: argparse.ArgumentParser) -> None:
    """Declare channel and exit code."""
    add_channel(parser)
    parser.add_argument(
        "--fail-on",
        choices=("none", "reject", "undecided"),
        default="none",
        help="exit with 1 on this decision; undecided includes reject (default: none)",
    )


def add_profiles(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Declare the file of enrolled speakers."""
    text = "SQLite file of speakers" + ("" if required else " (default: none)")
    parser.add_argument("--profiles", required=required, metavar="FILE", help=text)
