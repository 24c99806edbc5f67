"""Print what a model file contains.

e.g.: asdkit model-info exp/extractor/extractor.npz
e.g.: asdkit model-info exp/small_seed0/network.pt
e.g.: asdkit model-info model/

Of a bundle it prints cost and decision, and its threshold card; as JSON with --json.
"""

from __future__ import annotations

import argparse
import json
import os

from asdkit.base.answers import Answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", help="model file, .npz or .pt, or a bundle")


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    if os.path.isdir(args.model):
        from asdkit.inference.about import about_table
        from asdkit.inference.bundle import Bundle

        return about_table(Bundle.open(args.model))
    if args.model.endswith(".pt"):
        from asdkit.io import tensors  # imports torch, which takes a second

        about = tensors.describe(args.model)
    else:
        from asdkit.io import store

        about = store.describe(args.model)
    return json.dumps(about, indent=2, ensure_ascii=False)
