"""Print what a model file contains.

e.g.: asdkit model-info exp/extractor/extractor.npz
e.g.: asdkit model-info exp/small_seed0/network.pt
"""

from __future__ import annotations

import argparse
import json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", help="model file: .npz, or .pt of a network")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    if args.model.endswith(".pt"):
        from asdkit.io import tensors  # imports torch, which takes a second

        about = tensors.describe(args.model)
    else:
        from asdkit.io import store

        about = store.describe(args.model)
    return json.dumps(about, indent=2, ensure_ascii=False)
