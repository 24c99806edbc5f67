"""The file of a trained network, ``network.pt``: all that is needed to use it.

It holds how the features are prepared, which network with which options, the speakers
or classes in the order of their labels, and the loss, whose weights know these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.base.inputs import note_input
from asdkit.base.plugins import allow, is_plugin, refuse_unnamed
from asdkit.base.registry import construct, defaults_of
from asdkit.features.framing import Features
from asdkit.features.registry import name_of
from asdkit.features.waveform import Waveform
from asdkit.io.store import building
from asdkit.io.tables import PathName
from asdkit.io.tensors import load_tensors, save_tensors
from asdkit.losses import registry as losses
from asdkit.nnet.network import Network
from asdkit.nnet.registry import MODELS, build


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


def samples_as_features(sample_frequency: float) -> dict[str, Any]:
    """Describe the features of a network that takes samples as they are.

    Args:
        sample_frequency: in Hz.

    Returns:
        what `build_network` takes as its "features".
    """
    samples = Waveform(sample_frequency=sample_frequency)
    return computed_features(samples, subtract_mean=False)


def computed_features(extractor: Features, subtract_mean: bool) -> dict[str, Any]:
    """Describe features that are computed from audio, all frames of it.

    Args:
        extractor: computes them.
        subtract_mean: whether the mean over time is subtracted.

    Returns:
        what `build_network` takes as its "features".
    """
    return {
        "source": "audio",
        "type": name_of(extractor),
        "options": dict(extractor.options),
        "voiced": False,
        "subtract_mean": subtract_mean,
        "delta_order": 0,
        "vad": None,
        "cmn_window": 0,
    }


def build_network(options: dict[str, Any]) -> TrainedNetwork:
    """Construct network and loss, untrained, from the options of a file.

    Raises:
        AsdkitError: a name or an option is unknown, or has a value that cannot be; or
            it is a plug-in that the caller has not named.
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
    if not isinstance(network, Network):  # a plug-in's
        raise AsdkitError(
            f"{options['network']['name']}: expected a class derived from "
            f"asdkit.nnet.network:Network, got {type(network).__name__}"
        )
    return TrainedNetwork(network, loss, options)


def save_network(path: PathName, trained: TrainedNetwork) -> None:
    """Write a network, atomically."""
    tensors = {
        "network": trained.network.state_dict(),
        "loss": trained.loss.state_dict(),
    }
    save_tensors(path, "Network", trained.options, tensors)


def load_network(path: PathName, plugins: Iterable[str] = ()) -> TrainedNetwork:
    """Read what `save_network` wrote, on the CPU and in evaluation mode.

    Args:
        path: network.pt.
        plugins: modules outside asdkit that it may use, see `asdkit.base.plugins`; the
            file alone never makes one be imported.

    Raises:
        DataError: missing, damaged, not a network that this version can build, or one
            with a plug-in that the caller has not named.
        AsdkitError: there is no such module as in ``plugins``.
    """
    note_input(path)
    allow(plugins)
    options, tensors = load_tensors(path, "Network")
    with building(path):
        names = {part: str(options[part]["name"]) for part in ("network", "loss")}
    refuse_unnamed(path, names)
    with building(path):
        trained = build_network(options)
        trained.network.load_state_dict(tensors["network"])
        trained.loss.load_state_dict(tensors["loss"])
    trained.network.eval()
    trained.loss.eval()
    return trained


def network_called(name: str, options: Mapping[str, Any]) -> Network:
    """Build a network by its name, or load the one of a directory.

    Args:
        name: of `MODELS`, of a plug-in, or of a directory with network.pt.
        options: what differs from the defaults of one that is built.

    Raises:
        AsdkitError: there is no such network, and no such directory.
        DataError: the directory's network is damaged, or states a plug-in that the
            caller has not named.
    """
    if is_plugin(name):
        allow([name.partition(":")[0]])
    elif name not in MODELS:
        path = Path(name) / "network.pt"
        if not path.exists():
            expected = "expected a network's name or a directory with network.pt"
            known = f"one of {', '.join(MODELS)}"
            raise AsdkitError(f"{expected}, got {name!r}", known)
        return load_network(path).network
    try:
        return build(name, **options)
    except ValueError as error:
        raise AsdkitError(str(error)) from None
