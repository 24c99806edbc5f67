"""Options of the programs that train networks, by name.

Defaults and helps come from the classes that take them.  All options of networks,
losses, objectives and kinds of features are included without being listed.
"""

from __future__ import annotations

import argparse
import math
from typing import Literal

from asdkit.base.numbers import parse_number
from asdkit.base.options import Choices, add_choice, add_options, explain
from asdkit.base.plugins import add_plugins
from asdkit.base.signatures import parameters_of
from asdkit.features.registry import FRONT_ENDS
from asdkit.losses import registry as losses
from asdkit.nnet import registry as networks
from asdkit.training.objectives import OBJECTIVES

PLAN = "asdkit.training.plan:TrainingPlan"
TRAINING_SET = "asdkit.training.training_set:TrainingSetReader"
SPOOF_TRAINING_SET = "asdkit.training.spoofing:SpoofTrainingSetReader"
TRAINING = "asdkit.training.loop:Training"
TEACHER = "asdkit.distillation.stored_teachers:TeacherReader"

# The first is the default.
NETWORKS = {"resnet34": networks.MODELS["resnet34"], **networks.MODELS}
CRITERIA = {"aam_softmax": losses.LOSSES["aam_softmax"], **losses.LOSSES}
# The same for countermeasures.
SPOOF_NETWORKS = {"senet9": networks.MODELS["senet9"], **networks.MODELS}
SPOOF_CRITERIA = {
    "cross_entropy": losses.LOSSES["cross_entropy"],
    **losses.CLASSIFICATION,
}

PREPARED = ("voiced", "subtract_mean", "delta_order", "cmn_window")
BATCHES = ("chunk_frames", "batch_size", "chunks_per_utt", "num_workers", "seed")
AUGMENTATION = (
    *("spec_augment_prob", "mask_teacher", "augment_prob", "noises", "rooms"),
    *("codec_prob", "rawboost", "perturb_speed"),
)
OF_SPEAKERS = (
    *("utts_per_speaker", "speed_classes"),
    *("num_valid_spks", "utts_per_valid_spk"),
)
OF_SPOOFS = ("sampling", "crop")


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Declare all options to train on speakers."""
    add_plugins(parser)
    groups = _groups(parser, "speakers")
    add_options(groups["speakers"], TRAINING_SET, *OF_SPEAKERS)
    _add_shared_options(groups, TRAINING_SET, NETWORKS, CRITERIA)


def add_spoof_options(parser: argparse.ArgumentParser) -> None:
    """Declare all options to train on spoofed speech."""
    add_plugins(parser)
    groups = _groups(parser, "classes")
    groups["classes"].add_argument(
        "--class-weights",
        type=class_weights,
        metavar="none|balanced|X,X",
        help=explain(parameters_of(PLAN)["class_weights"]),
    )
    add_options(groups["classes"], SPOOF_TRAINING_SET, *OF_SPOOFS)
    _add_shared_options(groups, SPOOF_TRAINING_SET, SPOOF_NETWORKS, SPOOF_CRITERIA)


def _groups(
    parser: argparse.ArgumentParser, classes: str
) -> dict[str, argparse._ArgumentGroup]:
    """Add the groups of options, in the order of the help."""
    names = (
        *("network", "loss", "objective", "teacher", "features"),
        *("batches", "augmentation", classes, "training"),
    )
    return {name: parser.add_argument_group(name) for name in names}


def _add_shared_options(
    groups: dict[str, argparse._ArgumentGroup],
    reader: str,
    models: Choices,
    criteria: Choices,
) -> None:
    """Declare the options that do not depend on the classes.

    Networks come last, after losses: if a parameter of a new network has the name of an
    option here, the new option gets the longer name.
    """
    add_options(groups["teacher"], TEACHER)
    add_options(groups["batches"], reader, *BATCHES)
    add_options(groups["augmentation"], reader, *AUGMENTATION)
    add_options(groups["training"], TRAINING, but=("seed",))
    add_options(groups["training"], "asdkit.base.device:choose_device", "device")
    text = "training objective"
    add_choice(groups["objective"], "objective", OBJECTIVES, text)
    text = "features, stored or computed from audio"
    add_choice(groups["features"], "features", FRONT_ENDS, text)
    add_options(groups["features"], reader, *PREPARED)
    add_choice(groups["loss"], "loss", criteria, "the loss", but=losses.GIVEN)
    add_choice(groups["network"], "network", models, "the network", but=networks.GIVEN)
    add_options(groups["network"], PLAN, "ssl_checkpoint", "init_from", "init_loss")


def class_weights(text: str) -> tuple[float, ...] | Literal["balanced"] | None:
    """Parse ``none``, ``balanced``, or a weight of spoofed and one of bona fide speech.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    if text == "none":
        return None
    if text == "balanced":
        return "balanced"
    try:
        weights = tuple(parse_number(part) for part in text.split(","))
    except ValueError:
        weights = ()
    if len(weights) != 2 or not all(0 < weight < math.inf for weight in weights):
        problem = f"expected none, balanced or e.g. 0.1,0.9, got {text!r}"
        raise argparse.ArgumentTypeError(problem)
    return weights
