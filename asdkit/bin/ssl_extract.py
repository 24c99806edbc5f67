"""Extract layer means of a self-supervised encoder.

e.g.: asdkit ssl-extract --layers 2,3 data/eval wav2vec2-base-960h exp/ssl/eval

The checkpoint is a folder from transformers or a file from torchaudio, of wav2vec 2.0,
HuBERT, WavLM or XLS-R; nothing is downloaded.  Layer 0 is the input of the transformer,
layer L the output of its L-th layer; only the layers up to the highest requested one
run, on one whole utterance at a time, normalized to mean 0 and variance 1 if the
checkpoint asks for it.  Writes layer<L>/embedding.ark and .scp for every layer; N ranks
share the utterances.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
from functools import partial
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.errors import DataError
from asdkit.base.options import add_options
from asdkit.base.outputs import OutputDir
from asdkit.base.parsing import numbers

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--layers",
        type=numbers,
        metavar="N,N,...",
        help="layers to extract (default: all)",
    )
    add_options(parser, "asdkit.batches.batches:ExtractionBatches", "num_workers")
    add_options(parser, choose_device, "device")
    parser.add_argument("data_dir", help="data directory with audio")
    checkpoint = "folder that transformers saved, or a file from torchaudio"
    parser.add_argument("checkpoint", help=checkpoint)
    parser.add_argument("out_dir", type=OutputDir, help="where to write the archives")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import numpy as np

    from asdkit.batches.batches import ExtractionBatches
    from asdkit.batches.feature_config import FeatureConfig
    from asdkit.io.ark import ArkWriter
    from asdkit.models.ssl_checkpoints import load_means
    from asdkit.nnet.extraction import extract

    device = choose_device(args.device)
    network = load_means(args.checkpoint, args.layers).to(device)
    config = FeatureConfig("audio", "waveform", subtract_mean=False)
    batches = ExtractionBatches(
        config.open_frames(config.read_cuts(args.data_dir), network.feat_dim),
        max_frames=1,  # alone: some encoders normalize over padding, too
        min_frames=network.min_frames,
        subtract_mean=False,
        num_workers=args.num_workers,
    )
    open_ark = partial(ArkWriter, name="embedding", origin=config.origin(args.data_dir))
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(open_ark(Path(args.out_dir) / f"layer{n}"))
            for n in network.layers
        ]
        for (utt,), embeddings in extract(network, batches, device):
            if not np.isfinite(embeddings).all():
                raise DataError(args.checkpoint, f"its embedding of {utt!r} is NaN")
            for writer, vector in zip(
                writers, np.split(embeddings[0], len(writers)), strict=True
            ):
                writer[utt] = vector
    dim = network.embedding_dim // len(writers)
    logger.info("ssl-extract: %d layers of %d dimensions", len(writers), dim)
