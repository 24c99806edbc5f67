"""Export a network as an ONNX graph.

e.g.: asdkit nnet-export exp/net model.onnx
e.g.: asdkit nnet-export --form sherpa --check-audio wav/ exp/net sherpa.onnx

A graph of samples holds the front end, too: any ONNX runtime computes from float32
samples what nnet-extract and cm-score compute.  It is compared with the training path
on recordings from the shortest to 60 s, and is written only if the cosine of embeddings
is 0.9999 or more and scores differ by 1e-3 or less.  Dither is left out.  With --trials
it prints what 8 bits cost.
"""

from __future__ import annotations

import argparse
import logging

from asdkit.base.answers import Table
from asdkit.base.options import add_options
from asdkit.base.outputs import OutputFile
from asdkit.base.plugins import add_plugins

logger = logging.getLogger(__name__)
EXPORT = "asdkit.inference.export:export"
TRIALS = {
    "trials": ("FILE", "trials to compare error rates on (default: none)"),
    "data": ("DIR", "data directory of the utterances in --trials"),
    "backend": ("FILE", "back-end that compares embeddings (default: their cosine)"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, EXPORT, "form", "int8")
    parser.add_argument(
        "--check-audio",
        metavar="PATH",
        help="sound file to compare on, a directory or list (.txt, .scp) of them "
        "(default: synthesized voices)",
    )
    for name, (metavar, text) in TRIALS.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=text)
    add_plugins(parser)
    parser.add_argument("model", help="directory with network.pt, or that file")
    parser.add_argument("onnx", type=OutputFile, help="where to write the graph")


def main(args: argparse.Namespace) -> Table | None:
    """Run the command."""
    from asdkit.inference.export import export, write_export
    from asdkit.inference.graph_trials import TrialSet, error_table
    from asdkit.inference.loading import load

    model = load(args.model)
    trials = None
    if args.trials or args.data:
        trials = TrialSet.read(model, args.trials, args.data, args.backend)
    exported = export(model, args.form, args.int8, args.check_audio)
    write_export(args.onnx, exported)
    logger.info(
        "nnet-export: %s: %.4g MB: %s",
        args.onnx,
        len(exported.content) / 1e6,
        exported.parity,
    )
    return None if trials is None else error_table(exported, args.int8, trials)
