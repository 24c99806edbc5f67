"""The file of a trained network, ``network.pt``: all that is needed to use it.

It holds how the features are prepared, which network with which options, the speakers
or classes in the order of their labels, and the loss, whose weights know these.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.base.inputs import note_input
from asdkit.base.registry import construct, defaults_of
from asdkit.io.store import building
from asdkit.io.tables import PathName
from asdkit.io.tensors import load_tensors, save_tensors
from asdkit.losses import registry as losses
from asdkit.nnet.network import Network
from asdkit.nnet.registry import MODELS


class TrainedNetwork(NamedTuple):
    """A network and what it was trained with.

    Attributes:
        network: maps features to embeddings.
        loss: a classifier, or a metric loss.
        options: "network" and "loss", each with its "name" and all its options;
            "features", how they are prepared; "classes", the speakers in the order of
            their labels; and whatever else the training noted.
    """

    network: Network
    loss: nn.Module
    options: dict[str, Any]


def full_options(table: Any, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return name, defaults and what differs from them: all that tells the object."""
    return {"name": name, **defaults_of(table, name), **options}


def build_network(options: dict[str, Any]) -> TrainedNetwork:
    """Construct network and loss, untrained, from the options of a file.

    Raises:
        AsdkitError: a name or an option is unknown, or has a value that cannot be.
    """
    try:
        network = construct(MODELS, **options["network"])
        loss = losses.build(
            embedding_dim=network.embedding_dim,
            num_classes=len(options["classes"]),
            **options["loss"],
        )
    except ValueError as error:
        names = f"{options['network']['name']} with {options['loss']['name']}"
        raise AsdkitError(f"{names}: {error}") from None
    return TrainedNetwork(network, loss, options)


def save_network(path: PathName, trained: TrainedNetwork) -> None:
    """Write a network, atomically."""
    tensors = {
        "network": trained.network.state_dict(),
        "loss": trained.loss.state_dict(),
    }
    save_tensors(path, "Network", trained.options, tensors)


def load_network(path: PathName) -> TrainedNetwork:
    """Read what `save_network` wrote, on the CPU and in evaluation mode.

    Raises:
        DataError: missing, damaged, or not a network that this version can build.
    """
    note_input(path)
    options, tensors = load_tensors(path, "Network")
    with building(path):
        trained = build_network(options)
        trained.network.load_state_dict(tensors["network"])
        trained.loss.load_state_dict(tensors["loss"])
    trained.network.eval()
    trained.loss.eval()
    return trained
