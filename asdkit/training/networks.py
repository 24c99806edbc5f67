"""Networks as the options of a training program describe them: built, and trained."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from asdkit.base.differences import differences
from asdkit.base.distributed import is_main
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.inputs import refuse_input
from asdkit.base.options import choice_of, options_of
from asdkit.base.registry import defaults_of
from asdkit.data.cuts import speaker_of
from asdkit.distillation.stored_teachers import StoredTeacher
from asdkit.io.tables import PathName
from asdkit.losses.registry import LOSSES, METRIC
from asdkit.models.networks import (
    TrainedNetwork,
    build_network,
    full_options,
    load_network,
    save_network,
)
from asdkit.models.ssl import read_ssl
from asdkit.nnet.network import Network
from asdkit.nnet.registry import MODELS
from asdkit.nnet.ssl import SslEcapa
from asdkit.training.loop import Training
from asdkit.training.objectives import OBJECTIVES, build_objective
from asdkit.training.training_set import TrainingSet


def refuse_impossible(args: argparse.Namespace) -> None:
    """Raise an AsdkitError if options contradict each other, before data are read."""
    if args.loss in METRIC and args.utts_per_speaker < 2:
        raise AsdkitError(
            f"--loss {args.loss} compares utterances of a speaker within a batch",
            hint="--utts-per-speaker 2",
        )
    if (args.ssl_checkpoint is None) == args.network.startswith("ssl_"):
        raise AsdkitError(
            f"--network {args.network} and --ssl-checkpoint {args.ssl_checkpoint}: "
            "networks ssl_... have one, others none"
        )


def new_network(
    args: argparse.Namespace, corpus: TrainingSet, teacher: StoredTeacher | None
) -> TrainedNetwork:
    """Build network and loss with initial weights, the same on every rank.

    Args:
        args: of a program with the options of `asdkit.training.options`.
        corpus: what it is trained on.
        teacher: whom it learns from, None for nobody.

    Returns:
        network, loss, and all options that the result depends on but those of the loop.

    Raises:
        AsdkitError: the options do not describe a network.
        DataError: the checkpoint of an SSL network is missing or damaged.
    """
    network_options = choice_of(args, "network", MODELS)[1]
    network_options["feat_dim"] = corpus.feat_dim
    loss_options = choice_of(args, "loss", LOSSES)[1]
    if "class_weights" in args:  # cm-train's, whose losses all have them
        loss_options["class_weights"] = args.class_weights
    ssl = None
    if args.ssl_checkpoint is not None:
        ssl = read_ssl(args.ssl_checkpoint)
        network_options |= ssl.options
    options: dict[str, Any] = {
        "network": full_options(MODELS, args.network, network_options),
        "loss": full_options(LOSSES, args.loss, loss_options),
        "objective": full_options(
            OBJECTIVES, args.objective, choice_of(args, "objective", OBJECTIVES)[1]
        ),
        "init_from": args.init_from,
        "teacher": None if teacher is None else teacher.description,
        "features": corpus.feature_config.description,
        "data": corpus.options,
        "classes": corpus.classes,
    }
    torch.manual_seed(args.seed)
    trained = build_network(options)
    corpus.check_chunks(trained.network.min_frames)
    if ssl is not None:
        assert isinstance(trained.network, SslEcapa)
        trained.network.ssl.model.load_state_dict(ssl.weights)
    if args.init_from is not None:
        copy_weights(args.init_from, trained)
    return trained


def copy_weights(path: PathName, trained: TrainedNetwork) -> None:
    """Let a new network start from the weights of another, but for its loss.

    Raises:
        DataError: the file is missing or damaged, or of a network with other options.
    """
    other = load_network(path)
    ours = json.loads(json.dumps(trained.options["network"]))  # as the file has it
    theirs = other.options["network"]
    theirs = defaults_of(MODELS, theirs["name"]) | theirs  # older files lack some
    theirs = json.loads(json.dumps(theirs))
    if different := list(differences(theirs, ours, "network")):
        problem = f"expected the same network, got {'; '.join(different)}"
        raise DataError(path, problem)
    trained.network.load_state_dict(other.network.state_dict())


def train_network(
    args: argparse.Namespace,
    trained: TrainedNetwork,
    corpus: TrainingSet,
    teacher: StoredTeacher | None,
    validate: Callable[[Network], float] | None,
    device: str,
    directory: PathName,
) -> None:
    """Train a network and write network.pt; all ranks take part.

    Args:
        args: of a program with the options of `asdkit.training.options`.
        trained: from `new_network`.
        corpus: what it is trained on.
        teacher: whom it learns from, None for nobody.
        validate: returns an equal error rate, after every epoch.
        device: where to compute.
        directory: of checkpoints and network.pt.

    Raises:
        AsdkitError: as `Training.fit` and `build_objective` do.
        DataError: network.pt is the one to start or to learn from.
    """
    written = Path(directory) / "network.pt"
    refuse_input(written)  # before hours of work
    objective = build_objective(
        args.objective,
        choice_of(args, "objective", OBJECTIVES)[1],
        loss=trained.loss,
        network=trained.network,
        teacher=teacher and teacher.teacher(corpus.classes, device),
        speakers={cut.id: speaker_of(cut) for cut in corpus.batches.frames.cuts},
    )
    trained.options["history"] = Training(**options_of(Training, args)).fit(
        trained.network,
        objective,
        corpus.batches,
        directory,
        dict(trained.options),
        validate,
        device,
    )
    if is_main():
        save_network(written, trained)
