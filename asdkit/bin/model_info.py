"""Print what a model file says of itself: kind, options, origin, arrays.

e.g.: asdkit model-info exp/extractor/extractor.npz
"""

from __future__ import annotations

import argparse
import json

from asdkit.io.store import describe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", help="model file (.npz)")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    return json.dumps(describe(args.model), indent=2, ensure_ascii=False)
