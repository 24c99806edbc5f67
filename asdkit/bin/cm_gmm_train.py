"""Train a countermeasure of two Gaussian mixtures.

e.g.: asdkit cm-gmm-train data/train exp/lfcc_gmm

Reads feats.scp, e.g. from feats-compute --type lfcc, utt2attack and, if present,
vad.scp; appends deltas.  Writes gmm.npz, which holds both mixtures and the options of
the front end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.countermeasures.gmm:train_spoof_gmm",
        "num_gauss",
        "num_init_iters",
        "num_iters",
        "min_gaussian_weight",
        "num_frames",
        "seed",
    )
    add_options(
        parser,
        "asdkit.countermeasures.gmm:SpoofFrontEnd",
        "delta_window",
        "delta_order",
        "cmn_window",
    )
    add_options(parser, choose_device, "device")
    parser.add_argument("data_dir", help="data directory with feats.scp, utt2attack")
    parser.add_argument("gmm_dir", type=OutputDir, help="where to write gmm.npz")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.distributed import is_main
    from asdkit.countermeasures.gmm import (
        SpoofFrontEnd,
        save_spoof_gmm,
        train_spoof_gmm,
    )

    options = options_of(train_spoof_gmm, args) | {"device": choose_device(args.device)}
    frontend = SpoofFrontEnd(**options_of(SpoofFrontEnd, args))
    model = train_spoof_gmm(args.data_dir, frontend, **options)
    if is_main():
        save_spoof_gmm(Path(args.gmm_dir) / "gmm.npz", model)
