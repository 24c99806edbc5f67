"""Networks with their initial weights, as a plan describes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch

from asdkit.base.differences import differences
from asdkit.base.errors import DataError
from asdkit.base.registry import defaults_of
from asdkit.distillation.stored_teachers import StoredTeacher
from asdkit.io.tables import PathName
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import (
    TrainedNetwork,
    build_network,
    full_options,
    load_network,
)
from asdkit.models.ssl_checkpoints import read_ssl
from asdkit.nnet.registry import MODELS
from asdkit.nnet.ssl import SslEcapa
from asdkit.training.objectives import OBJECTIVES
from asdkit.training.spoofing import balanced_weights
from asdkit.training.training_set import TrainingSet

KALDI = "kaldi_xvector"  # its graph comes with the weights

if TYPE_CHECKING:
    from asdkit.training.plan import TrainingPlan


def new_network(
    plan: TrainingPlan, corpus: TrainingSet, teacher: StoredTeacher | None
) -> TrainedNetwork:
    """Build network and loss with initial weights, the same on every rank.

    Args:
        plan: plan of the training.
        corpus: training set.
        teacher: teacher of a distillation; None: no teacher.

    Returns:
        network, loss, and all options that the result depends on, except the loop's.

    Raises:
        AsdkitError: the options do not describe a network.
        DataError: a checkpoint to start from is missing or damaged.
    """
    network_options = {**plan.network.options, "feat_dim": corpus.feat_dim}
    loss_options = dict(plan.loss.options)
    if plan.class_weights is not None:
        weights = plan.class_weights
        loss_options["class_weights"] = (
            balanced_weights(corpus) if weights == "balanced" else weights
        )
    if plan.network.name == KALDI and plan.init_from is not None:
        network_options |= _kaldi_options(plan.init_from)
    ssl = None
    if plan.ssl_checkpoint is not None:
        ssl = read_ssl(plan.ssl_checkpoint)
        network_options |= ssl.options
    objective = plan.objective
    options: dict[str, Any] = {
        "network": full_options(MODELS, plan.network.name, network_options),
        "loss": full_options(LOSSES, plan.loss.name, loss_options),
        "objective": full_options(OBJECTIVES, objective.name, {**objective.options}),
        "init_from": plan.init_from,
        **({"init_loss": True} if plan.init_loss else {}),
        "teacher": None if teacher is None else teacher.description,
        "features": corpus.feature_config.description,
        "data": corpus.options,
        "classes": corpus.classes,
    }
    torch.manual_seed(plan.seed)
    trained = build_network(options)
    corpus.check_chunks(trained.network.min_frames)
    if ssl is not None:
        assert isinstance(trained.network, SslEcapa)
        trained.network.ssl.model.load_state_dict(ssl.weights)
    if plan.init_from is not None:
        copy_weights(plan.init_from, trained, plan.init_loss)
    return trained


def _kaldi_options(path: PathName) -> dict[str, Any]:
    """Return the options of a network of Kaldi's, which no command line could hold."""
    theirs = load_network(path).options["network"]
    if theirs["name"] != KALDI:
        return {}
    return {name: x for name, x in theirs.items() if name != "name"}


def copy_weights(
    path: PathName, trained: TrainedNetwork, with_loss: bool = False
) -> None:
    """Copy the weights of a trained network into a new one.

    Args:
        path: network.pt of the trained network.
        trained: the new one, with its loss.
        with_loss: also copy the classifier's weights, of the new one's classes, which
            the trained one must all have.

    Raises:
        DataError: the file is missing or damaged, its network has other options, or
            its loss is another or lacks classes.
    """
    other = load_network(path)
    ours = json.loads(json.dumps(trained.options["network"]))  # as in the file
    theirs = other.options["network"]
    theirs = defaults_of(MODELS, theirs["name"]) | theirs  # older files lack some
    theirs = json.loads(json.dumps(theirs))
    for options in (ours, theirs):
        options.pop("ssl_trained", None)  # says what is trained, not what it is
    if different := list(differences(theirs, ours, "network")):
        problem = f"expected the same network, got {'; '.join(different)}"
        raise DataError(path, problem)
    trained.network.load_state_dict(other.network.state_dict())
    if with_loss:
        _copy_classes(path, other, trained)


def _copy_classes(
    path: PathName, other: TrainedNetwork, trained: TrainedNetwork
) -> None:
    """Copy what a loss has learned of classes, which are found by name."""
    numbers = {name: n for n, name in enumerate(other.options["classes"])}
    classes = trained.options["classes"]
    if absent := [name for name in classes if name not in numbers]:
        problem = f"its loss lacks {len(absent)} of {len(classes)} classes: {absent[0]}"
        raise DataError(path, problem, hint="start without --init-loss")
    rows = [numbers[name] for name in classes]
    ours, theirs = (
        {name: x for name, x in loss.state_dict().items() if name != "class_weights"}
        for loss in (trained.loss, other.loss)
    )
    picked = {
        name: x.unflatten(0, (len(numbers), -1))[rows].flatten(0, 1)  # with subcenters
        for name, x in theirs.items()
    }
    shapes = [{name: x.shape for name, x in part.items()} for part in (ours, picked)]
    name, their_name = (x.options["loss"]["name"] for x in (trained, other))
    if name != their_name or shapes[0] != shapes[1]:
        problem = f"expected the loss {name} of this size, got {their_name}"
        raise DataError(path, problem, hint="start without --init-loss")
    trained.loss.load_state_dict(picked, strict=False)
