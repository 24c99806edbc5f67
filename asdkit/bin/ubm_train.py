"""Train a universal background model (UBM).

e.g.: asdkit ubm-train --num-gauss 2048 data/train exp/ubm
e.g.: torchrun --standalone --nproc-per-node 8 -m asdkit ubm-train data/train exp/ubm

Trains diagonal Gaussians, then full ones.  Reads feats.scp and vad.scp (without it all
frames count as voiced).  Writes ubm.npz, which holds both mixtures and the options of
the front end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir
from asdkit.base.parsing import parsing_of
from asdkit.base.ranges import Count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.gmm.ubm:train_ubm",
        "num_gauss",
        "num_init_iters",
        "num_diag_iters",
        "num_full_iters",
        "num_gselect",
        "min_gaussian_weight",
        "seed",
    )
    add_options(parser, "asdkit.batches.gmm_frames:sample_frames", "num_frames")
    parser.add_argument(
        "--subsample",
        default=5,
        **parsing_of(Count),
        help="after initialization, use every N-th frame (default: 5)",
    )
    add_options(
        parser,
        "asdkit.features.frontend:FrontEnd",
        "delta_window",
        "delta_order",
        "cmn_window",
    )
    add_options(parser, choose_device, "device")
    parser.add_argument("data_dir", help="data directory with feats.scp and vad.scp")
    parser.add_argument("ubm_dir", type=OutputDir, help="where to write ubm.npz")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import torch

    from asdkit.base.distributed import is_main, share
    from asdkit.batches.gmm_frames import Frames, list_utts, sample_frames
    from asdkit.features.frontend import FrontEnd
    from asdkit.gmm.ubm import train_ubm
    from asdkit.models.ubm_files import save_ubm

    device = choose_device(args.device)
    frontend = FrontEnd(**options_of(FrontEnd, args))
    sample = sample_frames(args.data_dir, frontend, **options_of(sample_frames, args))
    utts = share(list_utts(args.data_dir))
    frames = Frames(args.data_dir, frontend, utts, subsample=args.subsample)
    ubm = train_ubm(
        torch.from_numpy(sample).to(device),
        lambda: (torch.from_numpy(batch.frames).to(device) for batch in frames),
        **options_of(train_ubm, args),
    )
    if is_main():
        save_ubm(Path(args.ubm_dir) / "ubm.npz", ubm, frontend)
