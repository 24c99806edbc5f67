"""Extract means and standard deviations of features.

e.g.: asdkit stats-extract data/eval exp/stats/eval

An embedding that needs no network and no weights.  Reads feats.scp and, if present,
vad.scp, appends deltas, writes embedding.ark and embedding.scp; N ranks share the
utterances.  Those without a voiced frame are counted, named and skipped.
"""

from __future__ import annotations

import argparse
import logging

from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.countermeasures.gmm:SpoofFrontEnd",
        "delta_window",
        "delta_order",
        "cmn_window",
    )
    parser.add_argument("data_dir", help="data directory with feats.scp")
    parser.add_argument("out_dir", type=OutputDir, help="where to write the archive")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.distributed import is_main, share
    from asdkit.batches.gmm_frames import list_utts, read_frames
    from asdkit.batches.pooled_frames import pool_frames
    from asdkit.countermeasures.gmm import SpoofFrontEnd
    from asdkit.data.derived import origin_of_features
    from asdkit.io.ark import ArkWriter, read_scp

    frontend = SpoofFrontEnd(**options_of(SpoofFrontEnd, args))
    utts = list_utts(args.data_dir)
    if not utts:
        raise DataError(args.data_dir, "expected utterances, feats.scp has none")
    batches = read_frames(args.data_dir, frontend, share(utts))
    origin = origin_of_features(args.data_dir)
    with ArkWriter(args.out_dir, "embedding", origin=origin) as writer:
        for utt, embedding in pool_frames(batches):
            writer[utt] = embedding
    if is_main():
        done = len(read_scp(writer.scp))
        logger.info("stats-extract: %d of %d utterances", done, len(utts))
