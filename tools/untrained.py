"""Untrained networks, and a bundle of two: for tests, torture and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from asdkit.batches.feature_config import FeatureConfig
from asdkit.features.mel import Fbank
from asdkit.inference.bundling import Sources, make_bundle
from asdkit.metrics.decision_costs import DecisionCosts
from asdkit.models.networks import build_network, save_network

SPEAKERS = "ann", "bob"
CLASSES = "spoof", "bonafide"
SMALL_XVECTOR = {"channels": 16, "last_channels": 24}
SMALL_SENET = {"channels": 4}
CROP = {"crop": "first", "chunk_frames": 100, "batch_size": 4}


def write_untrained(
    folder: Path,
    network: Mapping[str, Any],
    features: Any = None,
    classes: tuple[str, ...] = SPEAKERS,
    subtract_mean: bool = True,
    **data: Any,
) -> None:
    """Write an untrained network whose normalizations are not trivial.

    Args:
        folder: where to write network.pt.
        network: its name and options.
        features: what computes its features; None: 24 mel bands.
        classes: of its loss.
        subtract_mean: of the features, over time.
        data: options of its training data.
    """
    features = features or Fbank(num_mel_bins=24, dither=0.0)
    config = FeatureConfig.computed_by(features, subtract_mean)
    torch.manual_seed(0)
    trained = build_network(
        {
            "network": {"feat_dim": features.dim, **network},
            "loss": {"name": "cross_entropy"},
            "classes": list(classes),
            "features": config.description,
            "data": data,
        }
    )
    for key, value in trained.network.state_dict().items():
        if key.endswith("running_mean"):
            value.normal_(0, 0.1)
        if key.endswith("running_var"):
            value.uniform_(0.5, 2)
    folder.mkdir(parents=True, exist_ok=True)
    save_network(folder / "network.pt", trained)


def write_pair(folder: Path) -> None:
    """Write a network of speakers into ``net``, and a countermeasure into ``cm``."""
    write_untrained(folder / "net", {"name": "xvector", **SMALL_XVECTOR})
    cm = {"name": "senet9", **SMALL_SENET}
    write_untrained(folder / "cm", cm, classes=CLASSES, **CROP)


def write_bundle(folder: Path, **files: Path) -> Path:
    """Write a bundle of what `write_pair` wrote, and other files, into ``model``."""
    cm = {"cm": folder / "cm"} if (folder / "cm").exists() else {}
    sources = Sources(**cm, **files)
    make_bundle(
        folder / "net", folder / "model", sources, DecisionCosts(), DecisionCosts()
    )
    return folder / "model"
