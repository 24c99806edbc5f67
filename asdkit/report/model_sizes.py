"""Sizes of countermeasures of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.batches.feature_config import FeatureConfig
from asdkit.io.store import describe, load_arrays
from asdkit.models.networks import load_network
from asdkit.models.ssl_checkpoints import load_means
from asdkit.nnet.complexity import num_macs, num_parameters


def size_cells(
    model_dir: Path,
    num_samples: int,
    checkpoint: Path | None = None,
    layers: Sequence[int] = (),
) -> list[str]:
    """Return trained parameters and GMACs for an utterance, as they are printed.

    Args:
        model_dir: with classifier.npz, gmm.npz or network.pt.
        num_samples: of the utterance.
        checkpoint: of the self-supervised encoder before a classifier; None if its MACs
            do not count.
        layers: of the encoder, up to the highest that the classifier sees.

    Raises:
        DataError: a file is missing or damaged.
    """
    if (model_dir / "classifier.npz").exists():
        number = describe(model_dir / "classifier.npz")["options"]["num_parameters"]
        macs = 0
        if layers and checkpoint:
            macs = num_macs(load_means(checkpoint, layers), num_samples)
    elif (model_dir / "gmm.npz").exists():
        options, arrays = load_arrays(model_dir / "gmm.npz", "SpoofGmm")
        number = sum(x.size for x in arrays.values())
        means = sum(x.size for name, x in arrays.items() if "means_" in name)
        macs = 2 * means * count_frames(options["features"], num_samples)
    else:
        trained = load_network(model_dir / "network.pt")
        number = num_parameters(trained.network)
        num_frames = count_frames(trained.options["features"], num_samples)
        macs = num_macs(trained.network, num_frames)
    return [f"{number:,}", f"{macs / 1e9:.3f}"]


def count_frames(features: Mapping[str, Any], num_samples: int) -> int:
    """Count the frames of so many samples, of features as a model file states them."""
    extractor = FeatureConfig.read(features).extractor()
    return len(extractor(np.zeros(num_samples, np.float32)))
