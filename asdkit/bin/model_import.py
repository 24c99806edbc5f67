"""Import a published network as a model of asdkit.

e.g.: asdkit model-import aasist AASIST-L.pth exp/aasist_l
e.g.: asdkit model-import wespeaker avg_model.pt exp/resnet34

The layout says whose checkpoint it is: wespeaker or 3dspeaker, a ResNet, CAM++ or
ECAPA-TDNN of these toolkits, .pt or .safetensors, with the filter banks of their
recipes; aasist, the weights of AASIST or AASIST-L as their authors publish them; ge2e,
pretrained.pt of the package resemblyzer.  Every tensor's name and shape is checked, and
nothing in the file is executed.  Writes
network.pt, a model like any other: cm-score and cm-attack or nnet-extract open it, and
it can be the --teacher or the --init-from of another network.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.outputs import OutputDir
from asdkit.models.formats import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "layout",
        choices=FORMATS,
        help=f"layout of the checkpoint: {', '.join(FORMATS)}",
    )
    parser.add_argument("checkpoint", help="file of published weights")
    parser.add_argument("model_dir", type=OutputDir, help="where to write network.pt")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.models.networks import save_network

    trained = FORMATS[args.layout](args.checkpoint)
    save_network(Path(args.model_dir) / "network.pt", trained)
