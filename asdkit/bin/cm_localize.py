"""Tell which parts of utterances are spoofed.

e.g.: asdkit cm-localize data/eval_spliced exp/senet9 exp/senet9/eval_spliced
e.g.: .venv-k2/bin/asdkit cm-localize data/eval exp/senet9/eval/frames.scp exp/localized

Scores of frames become segments by the best path through an acceptor with minimum
durations, for which k2 is needed.  The scores are a network's that cm-train has
trained, best with --objective frame_labels, or those of a table; --decode false writes
the table and stops there.  Writes frames.scp; bonafide.scp, vectors of 0 and 1; these
as rttm and segments.jsonl.gz; and scores, of every utterance that of its segment that
is spoofed most.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.options import add_options, boolean, options_of
from asdkit.base.packages import require
from asdkit.countermeasures.localization import Localizer, score_frames
from asdkit.segmentation.fsa import CURE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        Localizer,
        min_spoof_sec="shortest spoof in seconds",
        min_bonafide_sec="shortest bona fide speech in seconds",
        change_cost="cost of a change between the two, in nats",
        threshold="score of a frame that might be either",
        score_scale="of what scores are above it, before costs are subtracted",
    )
    parser.add_argument(
        "--decode",
        type=boolean,
        default=True,
        metavar="true|false",
        help="whether to decide, or only to score frames (default: true)",
    )
    add_options(
        parser,
        score_frames,
        max_frames="frames in a batch, padding included; 0: as in the training",
        num_workers="processes that make batches ahead",
    )
    add_options(parser, choose_device, device="where to compute")
    parser.add_argument("data_dir", help="data directory")
    parser.add_argument("model", help="directory with network.pt, or frames.scp")
    parser.add_argument("out_dir", help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    if args.decode:
        require("k2", CURE)  # before time is spent on scores
    frames = Path(args.model)
    if frames.suffix != ".scp":
        options = options_of(score_frames, args)
        options["device"] = choose_device(args.device)
        network = frames / "network.pt"
        frames = score_frames(args.data_dir, network, args.out_dir, **options)
    if args.decode:
        localizer = Localizer(**options_of(Localizer, args))
        localizer.localize(args.data_dir, frames, args.out_dir)
