r"""Train a network as a spoofing countermeasure.

e.g.: asdkit cm-train --network senet9 --features spectrum --class-weights balanced \
        --averaging best data/train data/dev exp/senet9

Classes are spoof (0) and bonafide (1), from utt2attack.  After every epoch the error
rate on the development set is measured, of frames with --objective frame_labels;
--averaging best keeps the weights of the best epoch.  Everything else is as for
nnet-train, from whose networks --init-from may start.  Writes network.pt, which holds
all that cm-score needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from asdkit.base.options import choice_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.features.registry import FRONT_ENDS
from asdkit.training.options import add_spoof_options

if TYPE_CHECKING:
    from asdkit.nnet.network import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_spoof_options(parser)
    parser.add_argument("train_dir", help="data directory to train on, with utt2attack")
    parser.add_argument("dev_dir", help="data directory to validate on")
    parser.add_argument("cm_dir", type=OutputDir, help="where to write network.pt")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.device import choose_device
    from asdkit.distillation.stored_teachers import TeacherReader
    from asdkit.training.networks import new_network, refuse_impossible, train_network
    from asdkit.training.spoofing import SpoofTrainingSetReader, balanced_weights

    refuse_impossible(args)
    device = choose_device(args.device)
    front_end, front_end_options = choice_of(args, "features", FRONT_ENDS)
    stored = TeacherReader(**options_of(TeacherReader, args)).read()
    reader = SpoofTrainingSetReader(**options_of(SpoofTrainingSetReader, args))
    corpus = reader.read(args.train_dir, front_end(**front_end_options), stored)
    if args.class_weights == "balanced":
        args.class_weights = balanced_weights(corpus)
    trained = new_network(args, corpus, stored)
    # Whose frames are told apart is judged by them.
    of_frames = args.objective == "frame_labels"
    read = reader.read_frames if of_frames else reader.read_trials
    validate: Callable[[Network], float]
    validate = read(args.dev_dir, corpus, trained.loss, device)
    train_network(args, trained, corpus, stored, validate, device, args.cm_dir)
