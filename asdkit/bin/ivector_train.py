"""Train an i-vector extractor (total variability, EM).

e.g.: asdkit ivector-train --ivector-dim 400 data/train exp/ubm exp/extractor
e.g.: torchrun --standalone --nproc-per-node 8 -m asdkit ivector-train data/train ...

Writes extractor.npz, which also holds the UBM and the options of the front end, so that
extraction needs nothing else, and how features and vad.scp were made, if known, so that
asdkit.load can start from audio.  Progress is kept in checkpoint.npz after every
iteration; rerun the same command to resume.
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
        "asdkit.ivector.extractor:IvectorExtractor",
        "ivector_dim",
        "num_iters",
        "init",
        "precision",
        "gaussian_min_count",
        "variance_floor_factor",
        "seed",
    )
    add_options(parser, "asdkit.gmm.aligner:Aligner", "num_gselect", "min_post")
    add_options(parser, "asdkit.ivector.stored_statistics:Statistics", "max_cached_gb")
    add_options(parser, choose_device, "device")
    parser.add_argument("data_dir", help="data directory with feats.scp and vad.scp")
    parser.add_argument("ubm_dir", help="directory with ubm.npz")
    parser.add_argument(
        "extractor_dir", type=OutputDir, help="where to write extractor.npz"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.distributed import is_main, share
    from asdkit.batches.feature_config import FeatureConfig
    from asdkit.batches.gmm_frames import Frames, list_utts
    from asdkit.io.store import load_checkpoint, save_arrays
    from asdkit.ivector.extractor import IvectorExtractor
    from asdkit.ivector.stored_statistics import Statistics
    from asdkit.ivector.system import IvectorSystem
    from asdkit.models.ubm_files import load_ubm

    device = choose_device(args.device)
    ubm, frontend = load_ubm(Path(args.ubm_dir) / "ubm.npz")
    extractor = IvectorExtractor(**options_of(IvectorExtractor, args))
    features = FeatureConfig.read_by_gmms(args.data_dir).description
    how = args.num_gselect, args.min_post, features
    system = IvectorSystem(frontend, ubm, extractor, *how)

    utts = share(list_utts(args.data_dir))
    frames = Frames(args.data_dir, frontend, utts, max_cached=0)
    statistics = Statistics(frames, device, args.max_cached_gb)
    totals = statistics.align(system.aligner(device))

    kind = IvectorSystem.__name__
    checkpoint = Path(args.extractor_dir) / "checkpoint.npz"
    saved = load_checkpoint(checkpoint, IvectorSystem)
    if saved is None or not system.resume(saved, totals):
        extractor.initialize(ubm.full, statistics, totals)
    for _ in system.extractor.iterate(statistics, totals):
        if is_main():
            save_arrays(checkpoint, kind, *system.to_state())
    if is_main():
        save_arrays(checkpoint.with_name("extractor.npz"), kind, *system.to_state())
        checkpoint.unlink(missing_ok=True)
