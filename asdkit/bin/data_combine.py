"""Combine data directories with different utterances.

e.g.: asdkit data-combine data/voxceleb1 data/voxceleb2 data/train

Tables that some of them lack are left out and named.
"""

from __future__ import annotations

import argparse

from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("data_dir", nargs="+", help="directories with manifests")
    parser.add_argument("combined_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.data.subset import write_combined

    write_combined(args.data_dir, args.combined_dir)
