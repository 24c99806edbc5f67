"""Find the spoofed parts of utterances.

e.g.: asdkit cm-localize --decode false data/eval exp/lcnn exp/lcnn/eval
e.g.: .venv-k2/bin/asdkit cm-localize data/eval exp/lcnn/eval/frames.scp exp/lcnn/fsa

Frame scores become segments by the best path through an acceptor with minimum
durations, which needs k2, or by a threshold, with or without a median filter before it.
The scores come from a network trained by cm-train, ideally with --objective
frame_labels, or from a table; --decode false writes the table, frames.scp, and stops
there.  Writes bonafide.scp, vectors of 0 and 1, also as rttm and segments.jsonl.gz;
smoothed.scp, frame scores smoothed over time; and scores, for every utterance that of
its most spoofed segment.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.options import add_choice, add_options, choice_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.base.parsing import boolean
from asdkit.base.plugins import add_plugins
from asdkit.countermeasures.registry import LOCALIZERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_choice(parser, "method", LOCALIZERS, "decision method")
    parser.add_argument(
        "--decode",
        type=boolean,
        default=True,
        metavar="true|false",
        help="write decisions; false: frame scores only (default: true)",
    )
    add_options(
        parser,
        "asdkit.countermeasures.frame_scores:score_frames",
        "max_frames",
        "num_workers",
    )
    add_options(parser, choose_device, "device")
    add_plugins(parser)
    parser.add_argument("data_dir", help="data directory")
    parser.add_argument(
        "model", help="directory with network.pt, or frame scores (frames.scp)"
    )
    parser.add_argument("out_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.countermeasures.frame_scores import score_frames
    from asdkit.countermeasures.localization import localize

    method, options = choice_of(args, "method", LOCALIZERS)
    if args.decode and args.method == "fsa":
        from asdkit.base.packages import require
        from asdkit.segmentation.fsa import CURE

        require("k2", CURE)  # before time is spent on scores
    frames = Path(args.model)
    if frames.suffix != ".scp":
        how = options_of(score_frames, args)
        how["device"] = choose_device(args.device)
        frames = score_frames(args.data_dir, frames / "network.pt", args.out_dir, **how)
    if args.decode:
        localize(args.data_dir, frames, args.out_dir, method(**options))
