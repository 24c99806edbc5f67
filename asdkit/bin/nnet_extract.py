"""Extract one network embedding per utterance.

e.g.: asdkit nnet-extract data/test exp/resnet34 exp/resnet34/test

Writes embedding.ark and embedding.scp.  Features, mean subtraction and VAD are as in
training, as recorded in the network's file.  Utterances too short for the network are
named, counted and skipped; it is an error if they are most.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.options import add_options
from asdkit.base.outputs import OutputDir
from asdkit.base.parsing import boolean, parsing_of
from asdkit.base.plugins import add_plugins
from asdkit.base.ranges import Natural

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    batches = "asdkit.batches.batches:ExtractionBatches"
    add_options(parser, batches, "max_frames", "num_workers")
    add_options(parser, choose_device, "device")
    add_plugins(parser)
    as_trained = "(default: as in training)"
    text = f"read feats.scp, or compute features {as_trained}"
    parser.add_argument("--features", choices=("stored", "audio"), help=text)
    parser.add_argument(
        "--voiced",
        type=boolean,
        metavar="true|false",
        help=f"leave out frames that vad.scp rejects {as_trained}",
    )
    parser.add_argument(
        "--cmn-window",
        **parsing_of(Natural),
        help="frames of the sliding window for mean subtraction; 0: none, e.g. where "
        f"the stored features have it {as_trained}",
    )
    parser.add_argument("data_dir", help="data directory")
    parser.add_argument("net_dir", help="directory with network.pt")
    parser.add_argument("out_dir", type=OutputDir, help="where to write the archive")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import numpy as np

    from asdkit.batches.batches import ExtractionBatches
    from asdkit.batches.feature_config import FeatureConfig
    from asdkit.io.ark import ArkWriter
    from asdkit.models.networks import load_network
    from asdkit.nnet.extraction import extract

    device = choose_device(args.device)
    trained = load_network(path := Path(args.net_dir) / "network.pt")
    network = trained.network.to(device)
    config = FeatureConfig.read(trained.options["features"])
    given = {"source": args.features, "voiced": args.voiced}
    given["cmn_window"] = args.cmn_window
    try:
        config = replace(config, **{k: v for k, v in given.items() if v is not None})
    except ValueError as error:
        raise AsdkitError(f"{path}: {error}") from None
    batches = ExtractionBatches(
        config.open_frames(config.read_cuts(args.data_dir), network.feat_dim),
        args.max_frames,
        network.min_frames,
        config.subtract_mean,
        args.num_workers,
    )
    origin = config.origin(args.data_dir)
    with ArkWriter(args.out_dir, "embedding", origin=origin) as writer:
        for utts, embeddings in extract(network, batches, device):
            for utt, embedding in zip(utts, embeddings, strict=True):
                if not np.isfinite(embedding).all():
                    raise DataError(path, f"its embedding of {utt!r} is not finite")
                writer[utt] = embedding
    logger.info("nnet-extract: %s: %d dimensions", writer.scp, network.embedding_dim)
