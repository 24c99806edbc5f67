"""Score utterances with a countermeasure.

e.g.: asdkit cm-score data/eval exp/lfcc_gmm exp/lfcc_gmm/scores_eval
e.g.: torchrun --standalone --nproc-per-node 2 -m asdkit cm-score data/eval exp/senet9 s

The model is a network (cm-train) or two Gaussian mixtures (cm-gmm-train).  Writes
``<utt> <score>`` lines; higher means bona fide.  Utterances without features have no
score; they are counted and named, and it is an error if they are most.  For scores
under attack, use cm-attack.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile
from asdkit.base.plugins import add_plugins


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.countermeasures.scoring:score_network",
        "features",
        "crop",
        "max_frames",
        "num_workers",
    )
    add_options(parser, choose_device, "device")
    add_plugins(parser)
    parser.add_argument("data_dir", help="data directory")
    parser.add_argument("model_dir", help="directory with network.pt or gmm.npz")
    parser.add_argument("scores", type=OutputFile, help="where to write the scores")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.countermeasures.gmm import load_spoof_gmm
    from asdkit.countermeasures.scoring import score_network, write_scores

    options = options_of(score_network, args) | {"device": choose_device(args.device)}
    gmm, network = (Path(args.model_dir) / name for name in ("gmm.npz", "network.pt"))
    if network.exists():
        parts = score_network(args.data_dir, network, **options)
    elif gmm.exists():
        parts = load_spoof_gmm(gmm).score(args.data_dir, options["device"])
    else:
        raise DataError(args.model_dir, "expected network.pt or gmm.npz, got neither")
    write_scores(args.scores, args.data_dir, parts)
