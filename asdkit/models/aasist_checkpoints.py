"""The published AASIST and AASIST-L, from their authors' checkpoints.

Source: github.com/clovaai/aasist, whose configurations have what the weights do not
say: pooling ratios and temperatures, 64,600 samples (cut, or repeated), class 1 for
bona fide speech, weights 0.1 and 0.9 of the classes, batches of 24.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor, nn

from asdkit.data.cuts import SPOOF_CLASSES
from asdkit.io.tables import PathName
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import (
    TrainedNetwork,
    build_network,
    full_options,
    samples_as_features,
)
from asdkit.models.state_dicts import (
    Shape,
    State,
    misfits,
    read_state,
    refuse_misfits,
    source_of,
)
from asdkit.nnet.aasist import Aasist, Block
from asdkit.nnet.registry import MODELS

logger = logging.getLogger(__name__)

PUBLISHED = ("aasist", "aasist_l")  # names in `MODELS`
NUM_SAMPLES = 64600  # 4.04 s at 16 kHz
CLASS_WEIGHTS = (0.1, 0.9)
BATCH_SIZE = 24

# Name of a module here: its name there.  Of a joint graph the first kind of nodes is
# frequency here and time there.
ATTENTION = {
    "compare.project": "att_proj",
    "weigh": "att_weight",
    "update.others": "proj_with_att",
    "update.own": "proj_without_att",
    "norm.norm": "bn",
}
JOINT_ATTENTION = {
    **ATTENTION,
    "first": "proj_type2",
    "second": "proj_type1",
    "weigh_first": "att_weight22",
    "weigh_second": "att_weight11",
    "weigh_across": "att_weight12",
    "compare_master.project": "att_projM",
    "weigh_master": "att_weightM",
    "update_master.others": "proj_with_attM",
    "update_master.own": "proj_without_attM",
}
BLOCK = {
    "first": "conv1",
    "between.0": "bn2",
    "second": "conv2",
    "shortcut": "conv_downsample",
}
# What they have at the beginning of all blocks but the first, and do not use.
UNUSED_NORM = "bn1"


def module_names(num_blocks: int) -> dict[str, str]:
    """Map names of modules and parameters here to those in the checkpoints."""
    names = {
        "stem.0": "first_bn",
        "position": "pos_S",
        "spectral_pool.scores.1": "pool_S.proj",
        "temporal_pool.scores.1": "pool_T.proj",
    }
    for block in range(num_blocks):
        for ours, theirs in BLOCK.items():
            names[f"blocks.{block}.{ours}"] = f"encoder.{block}.0.{theirs}"
    for kind, letter in (("spectral", "S"), ("temporal", "T")):
        for ours, theirs in ATTENTION.items():
            names[f"{kind}.{ours}"] = f"GAT_layer_{letter}.{theirs}"
    for way, number in enumerate((1, 2)):
        names[f"ways.{way}.master"] = f"master{number}"
        names[f"ways.{way}.spectral_pool.scores.1"] = f"pool_hS{number}.proj"
        names[f"ways.{way}.temporal_pool.scores.1"] = f"pool_hT{number}.proj"
        for time, join in enumerate(("join", "again"), start=1):
            for ours, theirs in JOINT_ATTENTION.items():
                graph = f"HtrgGAT_layer_ST{number}{time}"
                names[f"ways.{way}.{join}.{ours}"] = f"{graph}.{theirs}"
    return names


def read_aasist(path: PathName) -> TrainedNetwork:
    """Read a checkpoint of AASIST or AASIST-L as a countermeasure.

    Its scores are log-odds, as those of all classifiers with a softmax here: the bona
    fide logit less the spoofed one.  The authors take the bona fide logit alone.

    Args:
        path: a state dictionary of the authors' network, e.g. ``AASIST-L.pth``.

    Raises:
        DataError: missing, damaged, or not all tensors of the one network or the other,
            and no others.
    """
    state = read_state(path)
    with torch.device("meta"):
        expected = {name: expected_shapes(_build(name)) for name in PUBLISHED}
    problems = {name: misfits(state, shapes) for name, shapes in expected.items()}
    nearest = min(PUBLISHED, key=lambda name: len(problems[name]))
    refuse_misfits(path, nearest, problems[nearest])
    trained = _build(nearest)
    network, loss = take_weights(trained, state)
    trained.network.load_state_dict(network)
    trained.loss.load_state_dict(loss)
    trained.network.eval()
    trained.loss.eval()
    trained.options["imported"] = source_of(path, "aasist")
    logger.info("model-import: %s has the weights of %s", path, nearest)
    return trained


def take_weights(
    trained: TrainedNetwork, state: State
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Rename the tensors of a checkpoint to those of network and loss."""
    network = {
        ours: _as_ours(ours, state[theirs])
        for ours, theirs in tensor_names(trained).items()
    }
    loss = dict(trained.loss.state_dict())  # with the weights of the classes
    loss |= {name: state[f"out_layer.{name}"] for name in ("weight", "bias")}
    return network, loss


def tensor_names(trained: TrainedNetwork) -> dict[str, str]:
    """Map the names of a network's tensors to those in the checkpoints."""
    assert isinstance(trained.network, Aasist)
    modules = module_names(len(trained.network.blocks))
    names = {}
    for ours in trained.network.state_dict():
        module, _, tensor = ours.rpartition(".")
        if ours in modules:  # a parameter of the network itself
            names[ours] = modules[ours]
        elif _is_attention(ours):  # there a parameter, here a layer
            names[ours] = modules[module]
        else:
            names[ours] = f"{modules[module]}.{tensor}"
    return names


def expected_shapes(trained: TrainedNetwork) -> dict[str, Shape]:
    """Say which tensors a checkpoint has, in the order of the network's."""
    state = trained.network.state_dict()
    shapes: dict[str, Shape] = {
        theirs: _as_ours(ours, state[ours]).shape  # a transpose undoes itself
        for ours, theirs in tensor_names(trained).items()
    }
    assert isinstance(trained.network, Aasist)
    for number, block in enumerate(trained.network.blocks):
        assert isinstance(block, Block)
        if number:
            norm = nn.BatchNorm2d(block.first.in_channels, device="meta")
            for name, tensor in norm.state_dict().items():
                shapes[f"encoder.{number}.0.{UNUSED_NORM}.{name}"] = tensor.shape
    for name in ("weight", "bias"):
        shapes[f"out_layer.{name}"] = trained.loss.state_dict()[name].shape
    return shapes


def _is_attention(name: str) -> bool:
    """Tell whether a tensor is a vector that turns comparisons into numbers."""
    return name.rpartition(".")[0].rpartition(".")[2].startswith("weigh")


def _as_ours(name: str, tensor: Tensor) -> Tensor:
    """Transpose what is a column there and a row here."""
    return tensor.mT if _is_attention(name) else tensor


def _build(name: str) -> TrainedNetwork:
    """Construct network and loss in the authors' form, untrained."""
    options: dict[str, Any] = {
        "network": full_options(MODELS, name, {"pre_norm": False}),
        "loss": full_options(LOSSES, "cross_entropy", {"class_weights": CLASS_WEIGHTS}),
        "features": samples_as_features(16000.0),
        "data": {
            "crop": "first",
            "chunk_frames": NUM_SAMPLES,
            "batch_size": BATCH_SIZE,
        },
        "classes": [*SPOOF_CLASSES],
    }
    return build_network(options)
