"""Export a network as an ONNX graph.

e.g.: asdkit nnet-export exp/net model.onnx
e.g.: asdkit nnet-export --form sherpa --check-audio wav/ exp/net sherpa.onnx

A graph of samples holds the front end, too: any ONNX runtime computes from float32
samples what nnet-extract and cm-score compute.  It is compared with the training path
on recordings from the shortest to 60 s, and is written only if the cosine of embeddings
is 0.9999 or more and scores differ by 1e-3 or less.  Dither is left out.
"""

from __future__ import annotations

import argparse
import logging

from asdkit.base.options import add_options
from asdkit.base.outputs import OutputFile
from asdkit.base.plugins import add_plugins

logger = logging.getLogger(__name__)
EXPORT = "asdkit.inference.export:export"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, EXPORT, "form", "int8")
    parser.add_argument(
        "--check-audio",
        metavar="PATH",
        help="sound file to compare on, or a directory of them (default: synthesized "
        "voices)",
    )
    add_plugins(parser)
    parser.add_argument("model", help="directory with network.pt, or that file")
    parser.add_argument("onnx", type=OutputFile, help="where to write the graph")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.inference.export import export, write_export
    from asdkit.inference.loading import load

    exported = export(load(args.model), args.form, args.int8, args.check_audio)
    write_export(args.onnx, exported)
    logger.info(
        "nnet-export: %s: %.4g MB: %s",
        args.onnx,
        len(exported.content) / 1e6,
        exported.parity,
    )
