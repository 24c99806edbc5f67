"""Train a network that maps utterances to embeddings.

e.g.: asdkit nnet-train --network resnet34 --features fbank data/train exp/resnet34
e.g.: torchrun --standalone --nproc-per-node 8 -m asdkit nnet-train data/train exp/net

Reads feats.scp, or computes features from audio with augmentation.  Writes
checkpoints, and at the end network.pt, which holds all that extraction needs.  Killed
and started again with the same options, it continues where it was; with other
options, it says which.  Writes for TensorBoard, if that is installed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from asdkit.base.device import choose_device
from asdkit.base.distributed import is_main
from asdkit.base.errors import AsdkitError
from asdkit.base.options import choice_of, options_of
from asdkit.data.networks import build_network, full_options, save_network
from asdkit.losses.registry import LOSSES, METRIC
from asdkit.nnet.registry import MODELS
from asdkit.training.corpus import FRONT_ENDS, CorpusReader
from asdkit.training.loop import Training
from asdkit.training.objectives import OBJECTIVES
from asdkit.training.options import add_all_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_all_options(parser)
    parser.add_argument("data_dir", help="data directory of the training speakers")
    parser.add_argument("net_dir", help="where to write network.pt")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    if args.loss in METRIC and args.utts_per_speaker < 2:
        raise AsdkitError(
            f"--loss {args.loss} compares utterances of a speaker within a batch",
            hint="--utts-per-speaker 2",
        )
    device = choose_device(args.device)
    front_end, front_end_options = choice_of(args, "features", FRONT_ENDS)
    reader = CorpusReader(**options_of(CorpusReader, args))
    corpus = reader.read(args.data_dir, front_end(**front_end_options))

    network_options = choice_of(args, "network", MODELS)[1]
    network_options["feat_dim"] = corpus.feat_dim
    loss_options = choice_of(args, "loss", LOSSES)[1]
    objective_of, objective_options = choice_of(args, "objective", OBJECTIVES)
    options = {
        "network": full_options(MODELS, args.network, network_options),
        "loss": full_options(LOSSES, args.loss, loss_options),
        "objective": full_options(OBJECTIVES, args.objective, objective_options),
        "features": corpus.source.description,
        "data": corpus.options,
        "classes": corpus.classes,
    }
    torch.manual_seed(args.seed)
    trained = build_network(options)
    training = Training(**options_of(Training, args))
    trained.options["history"] = training.fit(
        trained.network,
        objective_of(trained.loss, **objective_options),
        corpus.batches,
        args.net_dir,
        options,
        corpus.validation(device),
        device,
    )
    if is_main():
        save_network(Path(args.net_dir) / "network.pt", trained)
