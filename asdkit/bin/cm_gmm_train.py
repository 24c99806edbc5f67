"""Train a countermeasure of two Gaussian mixtures, bona fide and spoof.

e.g.: asdkit cm-gmm-train data/train exp/lfcc_gmm

Reads feats.scp, e.g. of feats-compute --type lfcc, and utt2attack (and vad.scp, if it
is there) and writes gmm.npz, which holds both mixtures and the options of the front
end.  Deltas are appended here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.distributed import is_main
from asdkit.base.options import add_options, options_of
from asdkit.countermeasures.gmm import SpoofFrontEnd, save_spoof_gmm, train_spoof_gmm


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        train_spoof_gmm,
        num_gauss="number of Gaussians of each mixture",
        num_init_iters="EM iterations on frames in memory, to start from",
        num_iters="EM iterations on all frames",
        min_gaussian_weight="Gaussians with less are not updated",
        num_frames="frames to start from, for each mixture, at most",
        seed="of the frames to start from",
    )
    add_options(
        parser,
        SpoofFrontEnd,
        delta_window="frames on each side of a derivative; with CQCCs 3",
        delta_order="highest derivative; 0: none",
        cmn_window="frames of the window whose mean is subtracted; 0: none",
    )
    add_options(parser, choose_device, device="where to compute")
    parser.add_argument("data_dir", help="data directory with feats.scp, utt2attack")
    parser.add_argument("gmm_dir", help="where to write gmm.npz")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    options = options_of(train_spoof_gmm, args) | {"device": choose_device(args.device)}
    frontend = SpoofFrontEnd(**options_of(SpoofFrontEnd, args))
    model = train_spoof_gmm(args.data_dir, frontend, **options)
    if is_main():
        save_spoof_gmm(Path(args.gmm_dir) / "gmm.npz", model)
