r"""Train a network as a spoofing countermeasure.

e.g.: asdkit cm-train --network senet9 --features spectrum --class-weights balanced \
        --averaging best data/train data/dev exp/senet9

Classes are spoof (0) and bonafide (1), from utt2attack.  After every epoch the equal
error rate on the development set is measured, of frames with --objective frame_labels;
--averaging best keeps the weights of the best epoch.  Everything else is as for
nnet-train, from whose networks --init-from may start.  Writes network.pt, which holds
all that cm-score needs.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import chosen_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.features.registry import FRONT_ENDS
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES
from asdkit.training.option_names import add_spoof_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_spoof_options(parser)
    parser.add_argument("train_dir", help="data directory to train on, with utt2attack")
    parser.add_argument("dev_dir", help="data directory of the development set")
    parser.add_argument("cm_dir", type=OutputDir, help="where to write network.pt")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.distillation.stored_teachers import TeacherReader
    from asdkit.training.loop import Training
    from asdkit.training.plan import TrainingPlan
    from asdkit.training.spoofing import SpoofTrainingSetReader

    plan = TrainingPlan(
        network=chosen_of(args, "network", MODELS),
        loss=chosen_of(args, "loss", LOSSES),
        objective=chosen_of(args, "objective", OBJECTIVES),
        features=chosen_of(args, "features", FRONT_ENDS),
        data=SpoofTrainingSetReader(**options_of(SpoofTrainingSetReader, args)),
        loop=Training(**options_of(Training, args)),
        teacher=TeacherReader(**options_of(TeacherReader, args)),
        class_weights=args.class_weights,
        ssl_checkpoint=args.ssl_checkpoint,
        init_from=args.init_from,
        init_loss=args.init_loss,
        seed=args.seed,
    )
    plan.run(args.train_dir, args.cm_dir, args.dev_dir, args.device)
