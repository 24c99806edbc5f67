r"""Train a network that maps utterances to embeddings.

e.g.: asdkit nnet-train --network resnet34 --features fbank data/train exp/resnet34
e.g.: asdkit nnet-train --objective mse --teacher scp:exp/ivectors/train/ivector.scp \
        data/train exp/student
e.g.: torchrun --standalone --nproc-per-node 8 -m asdkit nnet-train data/train exp/net

Reads feats.scp, or computes features from audio with augmentation.  Writes
checkpoints, and at the end network.pt, which holds all that extraction needs.  Killed
and started again with the same options, it continues where it was; with other
options, it says which.  A teacher's vectors, or a trained network, can be part of what
is minimized: --objective.  Writes for TensorBoard, if that is installed.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import choice_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.features.registry import FRONT_ENDS
from asdkit.training.options import add_all_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_all_options(parser)
    parser.add_argument("data_dir", help="data directory of the training speakers")
    parser.add_argument("net_dir", type=OutputDir, help="where to write network.pt")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.device import choose_device
    from asdkit.distillation.stored_teachers import TeacherReader
    from asdkit.training.networks import new_network, refuse_impossible, train_network
    from asdkit.training.training_set import TrainingSetReader

    refuse_impossible(args)
    device = choose_device(args.device)
    front_end, front_end_options = choice_of(args, "features", FRONT_ENDS)
    stored = TeacherReader(**options_of(TeacherReader, args)).read()
    reader = TrainingSetReader(**options_of(TrainingSetReader, args))
    corpus = reader.read(args.data_dir, front_end(**front_end_options), stored)

    trained = new_network(args, corpus, stored)
    validate = corpus.validation(device)
    train_network(args, trained, corpus, stored, validate, device, args.net_dir)
