"""Open a network that tells bona fide from spoofed speech: one place, all checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

from asdkit.base.errors import AsdkitError, DataError
from asdkit.batches.crops import Crop
from asdkit.batches.feature_config import FeatureConfig
from asdkit.data.cuts import SPOOF_CLASSES
from asdkit.io.tables import PathName
from asdkit.losses.classification import ClassificationLoss
from asdkit.models.networks import TrainedNetwork, load_network
from asdkit.nnet.network import Network

# Of samples in a batch on a CPU: more takes 8 GB of AASIST, and no less time.
MOST_SAMPLES = 1 << 18


class CountermeasureNetwork(NamedTuple):
    """A countermeasure network of cm-train, ready to score.

    Attributes:
        network: maps features to embeddings, on the device.
        loss: maps embeddings to scores, on the device.
        feature_config: how the features are made.
        crop: which part of an utterance the network's dev error was measured on.
        chunk_frames: T, of a crop.
        max_frames: frames of a batch in training; of samples on a CPU, not so many.
        localizes: whether it was trained to score single frames, of whole recordings.
    """

    network: Network
    loss: ClassificationLoss
    feature_config: FeatureConfig
    crop: Crop
    chunk_frames: int
    max_frames: int
    localizes: bool = False


def load_countermeasure(
    path: PathName,
    device: str = "cpu",
    features: Literal["stored", "audio"] | None = None,
) -> CountermeasureNetwork:
    """Read a network that cm-train wrote, and check that it is one.

    Args:
        path: network.pt.
        device: where to compute.
        features: read feats.scp or compute features; None: as in training.

    Raises:
        DataError: the file is missing, damaged or no countermeasure.
        AsdkitError: its features cannot be computed from audio.
    """
    return as_countermeasure(path, load_network(path), device, features)


def is_countermeasure(trained: TrainedNetwork) -> bool:
    """Tell a network of cm-train from one of nnet-train."""
    options = trained.options
    return options["classes"] == [*SPOOF_CLASSES] and "crop" in options["data"]


def as_countermeasure(
    path: PathName,
    trained: TrainedNetwork,
    device: str = "cpu",
    features: Literal["stored", "audio"] | None = None,
) -> CountermeasureNetwork:
    """Check a network that was read; arguments and errors as `load_countermeasure`."""
    options, loss = trained.options, trained.loss
    if not is_countermeasure(trained) or not isinstance(loss, ClassificationLoss):
        raise DataError(
            path,
            f"expected a countermeasure, got a network with {len(options['classes'])} "
            "classes",
            hint="cm-train makes one; of speakers, nnet-extract extracts embeddings",
        )
    config = FeatureConfig.read(options["features"])
    try:
        config = replace(config, source=features or config.source)
    except ValueError as error:
        raise AsdkitError(f"{path}: {error}") from None
    data = options["data"]
    max_frames = data["batch_size"] * data["chunk_frames"]
    if trained.network.feat_dim == 1 and device == "cpu":
        max_frames = min(max_frames, MOST_SAMPLES)
    by_frame = options.get("objective", {}).get("name") == "frame_labels"
    return CountermeasureNetwork(
        trained.network.to(device),
        loss.to(device),
        config,
        data["crop"],
        data["chunk_frames"],
        max_frames,
        by_frame and data["crop"] == "whole" and not config.voiced,
    )
