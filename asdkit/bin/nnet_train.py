r"""Train a network that maps utterances to embeddings.

e.g.: asdkit nnet-train --network resnet34 --features fbank data/train exp/resnet34
e.g.: asdkit nnet-train --objective mse --teacher scp:exp/ivectors/train/ivector.scp \
        data/train exp/student
e.g.: torchrun --standalone --nproc-per-node 8 -m asdkit nnet-train data/train exp/net

Reads feats.scp, or computes features from audio with augmentation.  Writes
checkpoints, plan.json, and at the end network.pt, which holds all that extraction
needs.  Run again with the same options, it resumes where it was killed; with other
options, it stops and names them.  A teacher's vectors, or a trained network, can be
part of what is minimized: --objective.  Writes for TensorBoard, if that is installed.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import chosen_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.features.registry import FRONT_ENDS
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES
from asdkit.training.option_names import add_all_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_all_options(parser)
    parser.add_argument("data_dir", help="data directory of the training speakers")
    parser.add_argument("net_dir", type=OutputDir, help="where to write network.pt")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.distillation.stored_teachers import TeacherReader
    from asdkit.training.loop import Training
    from asdkit.training.plan import TrainingPlan
    from asdkit.training.training_set import TrainingSetReader

    plan = TrainingPlan(
        network=chosen_of(args, "network", MODELS),
        loss=chosen_of(args, "loss", LOSSES),
        objective=chosen_of(args, "objective", OBJECTIVES),
        features=chosen_of(args, "features", FRONT_ENDS),
        data=TrainingSetReader(**options_of(TrainingSetReader, args)),
        loop=Training(**options_of(Training, args)),
        teacher=TeacherReader(**options_of(TeacherReader, args)),
        ssl_checkpoint=args.ssl_checkpoint,
        init_from=args.init_from,
        init_loss=args.init_loss,
        seed=args.seed,
    )
    plan.run(args.data_dir, args.net_dir, device=args.device)
