"""The options of programs that train networks; defaults are those of what they set."""

from __future__ import annotations

import argparse
import math
from typing import Literal

from asdkit.base.numbers import parse_number
from asdkit.base.options import Choices, add_choice, add_options
from asdkit.features.registry import FRONT_ENDS
from asdkit.losses.registry import CLASSIFICATION, LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES

TRAINING_SET = "asdkit.training.training_set:TrainingSetReader"
SPOOF_TRAINING_SET = "asdkit.training.spoofing:SpoofTrainingSetReader"

# The first is the default.
NETWORKS = {"resnet34": MODELS["resnet34"], **MODELS}
CRITERIA = {"aam_softmax": LOSSES["aam_softmax"], **LOSSES}


# The same for countermeasures.
SPOOF_NETWORKS = {"senet9": MODELS["senet9"], **MODELS}
SPOOF_CRITERIA = {"cross_entropy": LOSSES["cross_entropy"], **CLASSIFICATION}


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Declare everything but data and output, to train on speakers."""
    add_model_options(parser, NETWORKS, CRITERIA)
    add_data_options(parser, TRAINING_SET)
    add_options(
        parser.add_argument_group("speakers"),
        TRAINING_SET,
        "utts_per_speaker",
        "speed_classes",
        "num_valid_spks",
        "utts_per_valid_spk",
    )
    add_training_options(parser)


def add_spoof_options(parser: argparse.ArgumentParser) -> None:
    """Declare everything but data and output, to train on spoofed speech."""
    add_model_options(parser, SPOOF_NETWORKS, SPOOF_CRITERIA)
    add_data_options(parser, SPOOF_TRAINING_SET)
    group = parser.add_argument_group("classes")
    group.add_argument(
        "--class-weights",
        type=class_weights,
        metavar="none|balanced|X,X",
        help="weight of spoofed and of bona fide utterances in the loss; balanced: by "
        "the inverse of their numbers (default: none)",
    )
    add_options(
        group,
        SPOOF_TRAINING_SET,
        "sampling",
        "crop",
    )
    add_training_options(parser)


def add_model_options(
    parser: argparse.ArgumentParser, networks: Choices, criteria: Choices
) -> None:
    """Declare which network is trained with which loss; the first are the defaults."""
    group = parser.add_argument_group("network")
    add_choice(
        group,
        "network",
        networks,
        "the network",
        "channels",
        "stem",
        "stem_stride",
        "pooled_channels",
        "pooling",
        "normalized",
        "pre_norm",
        "embedding_dim",
        "ssl_trained",
    )
    group.add_argument(
        "--ssl-checkpoint",
        metavar="FILE|DIR",
        help="self-supervised encoder of ssl_ecapa: a folder that transformers saved, "
        "or a file of torchaudio's",
    )
    group.add_argument(
        "--init-from",
        metavar="FILE",
        help="network.pt of the same network, to start from its weights; its loss is "
        "not used",
    )
    add_choice(
        parser.add_argument_group("loss"),
        "loss",
        criteria,
        "the loss",
        "scale",
        "margin",
        "num_subcenters",
        "bonafide_margin",
        "spoof_margin",
    )
    add_choice(
        parser.add_argument_group("objective"),
        "objective",
        OBJECTIVES,
        "what training minimizes",
    )
    add_options(
        parser.add_argument_group("teacher"),
        "asdkit.distillation.stored_teachers:TeacherReader",
        "teacher",
        "teacher_transform",
        "teacher_precision",
        "missing_teacher",
        "teacher_cache",
        "teacher_cache_gb",
    )


def add_data_options(parser: argparse.ArgumentParser, reader: str) -> None:
    """Declare how batches are made, whatever the classes are."""
    group = parser.add_argument_group("features")
    add_choice(group, "features", FRONT_ENDS, "features, stored or computed from audio")
    add_options(
        group,
        reader,
        "voiced",
        "subtract_mean",
        "delta_order",
    )
    add_options(
        parser.add_argument_group("batches"),
        reader,
        "chunk_frames",
        "batch_size",
        "chunks_per_utt",
        "num_workers",
        "seed",
    )
    add_options(
        parser.add_argument_group("augmentation"),
        reader,
        "spec_augment_prob",
        "augment_prob",
        "noises",
        "rooms",
        "codec_prob",
        "rawboost",
        "perturb_speed",
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Declare how the loop runs."""
    group = parser.add_argument_group("training")
    add_options(
        group,
        "asdkit.training.loop:Training",
        "num_epochs",
        "optimizer",
        "momentum",
        "beta2",
        "adam_epsilon",
        "amsgrad",
        "weight_decay",
        "learning_rate",
        "final_rate",
        "warmup",
        "schedule",
        "max_grad_norm",
        "accumulate",
        "precision",
        "channels_last",
        "sync_batchnorm",
        "averaging",
        "ema_decay",
        "averaged_epochs",
        "checkpoint_minutes",
    )
    add_options(group, "asdkit.base.device:choose_device", "device")


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
