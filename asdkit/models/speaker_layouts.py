"""Published networks of speakers, tensor by tensor: their names and ours.

Source: github.com/wenet-e2e/wespeaker, wespeaker/models: resnet, campplus, ecapa_tdnn;
github.com/modelscope/3D-Speaker, speakerlab/models: the same.
Both have the same ResNet and CAM++; the ECAPA-TDNN of 3D-Speaker is SpeechBrain's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from asdkit.models.state_dicts import State
from asdkit.nnet.campplus import BLOCKS
from asdkit.nnet.ecapa_tdnn import DILATIONS
from asdkit.nnet.registry import MODELS

# What is added to a variance, or the least that it is.
WESPEAKER_FLOOR, WESPEAKER_ATTENTION_FLOOR, SPEECHBRAIN_FLOOR = 1e-8, 1e-10, 1e-12
# 3D-Speaker's CAM++ has none, and so no slope where a variance is zero.
NO_FLOOR = 1e-12

FRAME, CONTEXT = "pool.attention.frame", "pool.attention.context"


@dataclass(frozen=True)
class Layout:
    """Names and shapes of a network's tensors in a checkpoint.

    Args:
        network: name in `MODELS`.
        options: its options.
        modules: names of modules here -> there.
        convolved: linear layers here that are convolutions of one frame there.
        rolled: names of tensors here -> the axis along which their first group of
            channels is the last one there.
        group: channels in a group.
    """

    network: str
    options: dict[str, Any]
    modules: dict[str, str]
    convolved: tuple[str, ...] = ()
    rolled: Mapping[str, int] = field(default_factory=dict)
    group: int = 0

    def to_theirs(self, state: State) -> dict[str, Tensor]:
        """Rename and reshape our tensors, without counts of batches, as theirs."""
        state = {k: x for k, x in state.items() if not k.endswith("_tracked")}
        for name, axis in self.rolled.items():
            state[name] = state[name].roll(self.group, axis)
        context = state.pop(f"{CONTEXT}.weight", None)
        if context is not None:  # there one layer sees frame and context
            both = state[f"{FRAME}.weight"], context[..., None]
            state[f"{FRAME}.weight"] = torch.cat(both, dim=1)
        for module in self.convolved:
            state[f"{module}.weight"] = state[f"{module}.weight"][..., None]
        return {self._theirs(name): tensor for name, tensor in state.items()}

    def to_ours(self, theirs: State, like: State) -> dict[str, Tensor]:
        """Undo `to_theirs`; counts of batches are those of ``like``, our tensors."""
        state = dict(like)
        for name in like:
            if not name.endswith("_tracked") and name != f"{CONTEXT}.weight":
                state[name] = theirs[self._theirs(name)].float()
        for module in self.convolved:
            state[f"{module}.weight"] = state[f"{module}.weight"][..., 0]
        if f"{CONTEXT}.weight" in like:
            channels = like[f"{FRAME}.weight"].shape[1]
            both = state[f"{FRAME}.weight"]
            state[f"{FRAME}.weight"] = both[:, :channels]
            state[f"{CONTEXT}.weight"] = both[:, channels:, 0]
        for name, axis in self.rolled.items():
            state[name] = state[name].roll(-self.group, axis)
        return {name: tensor.contiguous() for name, tensor in state.items()}

    def _theirs(self, name: str) -> str:
        module, _, tensor = name.rpartition(".")
        return f"{self.modules[module]}.{tensor}"


def size(state: State, name: str, axis: int = 0) -> int:
    """Look up the size of an axis.

    Raises:
        ValueError: there is no such tensor, or it has no such axis.
    """
    if name not in state:
        raise ValueError(f"tensor {name!r} is missing")
    if axis >= state[name].dim():
        shape = tuple(state[name].shape)
        raise ValueError(f"tensor {name!r}: expected more axes, got shape {shape}")
    return state[name].shape[axis]


def resnet_layout(state: State) -> Layout:
    """Read the sizes of a ResNet; raise a ValueError where they are missing."""
    depths = []
    for stage in range(1, 5):
        depth = 0
        while f"layer{stage}.{depth}.conv1.weight" in state:
            depth += 1
        size(state, f"layer{stage}.{max(depth - 1, 0)}.conv1.weight")
        depths.append(depth)
    bottleneck = "layer1.0.conv3.weight" in state
    channels = size(state, "conv1.weight")
    expansion = 4 if bottleneck else 1
    height = size(state, "seg_1.weight", 1) // (2 * 8 * channels * expansion)
    two_layers = "seg_2.weight" in state
    kind = {"blocks": tuple(depths), "bottleneck": bottleneck}
    names = [x for x in MODELS if _is_resnet(x, tuple(depths), bottleneck)]
    options = {
        **({} if names else kind),
        "channels": channels,
        "unbiased": True,
        "variance_floor": WESPEAKER_FLOOR,
        "two_layers": two_layers,
        "feat_dim": 8 * height,
        "embedding_dim": size(state, "seg_1.weight"),
    }
    modules = {"stem.0": "conv1", "stem.1": "bn1"}
    for stage, depth in enumerate(depths):
        for block in range(depth):
            ours, theirs = f"stages.stages.{stage}.blocks.{block}", f"layer{stage + 1}"
            modules |= _residual(ours, f"{theirs}.{block}", bottleneck)
    modules |= {"output": "seg_1"}
    if two_layers:
        modules |= {"output.0": "seg_1", "output.2": "seg_bn_1", "output.3": "seg_2"}
    return Layout(names[0] if names else "resnet34", options, modules)


def _is_resnet(name: str, blocks: tuple[int, ...], bottleneck: bool) -> bool:
    """Tell whether a name of ours is that of a ResNet of these depths."""
    bound = {"bottleneck": False, **MODELS[name].bound}
    path = MODELS[name].path
    return path.endswith(":ResNet") and bound == {
        "blocks": blocks,
        "bottleneck": bottleneck,
    }


def _residual(ours: str, theirs: str, bottleneck: bool) -> dict[str, str]:
    """Name the layers of a residual block."""
    parts = ("narrow", "middle", "widen") if bottleneck else ("first", "second")
    names = {}
    for number, part in enumerate(parts, start=1):
        names[f"{ours}.{part}.0"] = f"{theirs}.conv{number}"
        names[f"{ours}.{part}.1"] = f"{theirs}.bn{number}"
    for layer in range(2):
        names[f"{ours}.shortcut.{layer}"] = f"{theirs}.shortcut.{layer}"
    return names


def campplus_layout(state: State, variance_floor: float) -> Layout:
    """Read the sizes of a CAM++; raise a ValueError where they are missing."""
    head = size(state, "head.conv1.weight")
    width = size(state, "xvector.tdnn.linear.weight", 1)
    local = "xvector.block1.tdnnd1.cam_layer.linear_local.weight"
    options = {
        "head_channels": head,
        "channels": size(state, "xvector.tdnn.linear.weight"),
        "growth": size(state, local),
        "hidden_dim": size(state, local, 1),
        "unbiased": True,
        "variance_floor": variance_floor,
        "feat_dim": 8 * (width // head),
        "embedding_dim": size(state, "xvector.dense.linear.weight"),
    }
    modules = {
        "stem.0": "head.conv1",
        "stem.1": "head.bn1",
        "squeeze.0": "head.conv2",
        "squeeze.1": "head.bn2",
        "first.0": "xvector.tdnn.linear",
        "first.1.0": "xvector.tdnn.nonlinear.batchnorm",
        "last.0": "xvector.out_nonlinear.batchnorm",
        "output.0": "xvector.dense.linear",
        "output.1": "xvector.dense.nonlinear.batchnorm",
    }
    for stage in range(2):
        for block in range(2):
            ours = f"head.stages.{stage}.blocks.{block}"
            modules |= _residual(ours, f"head.layer{stage + 1}.{block}", False)
    for block, (depth, _) in enumerate(BLOCKS):
        transit = f"xvector.transit{block + 1}"
        modules[f"blocks.{block}.halve.0.0"] = f"{transit}.nonlinear.batchnorm"
        modules[f"blocks.{block}.halve.1"] = f"{transit}.linear"
        for layer in range(depth):
            ours = f"blocks.{block}.layers.{layer}"
            theirs = f"xvector.block{block + 1}.tdnnd{layer + 1}"
            modules |= {
                f"{ours}.narrow.0.0": f"{theirs}.nonlinear1.batchnorm",
                f"{ours}.narrow.1": f"{theirs}.linear1",
                f"{ours}.narrow.2.0": f"{theirs}.nonlinear2.batchnorm",
                f"{ours}.local": f"{theirs}.cam_layer.linear_local",
                f"{ours}.mask.0": f"{theirs}.cam_layer.linear1",
                f"{ours}.mask.2": f"{theirs}.cam_layer.linear2",
            }
    return Layout("campplus", options, modules, ("output.0",))


def ecapa_layout(state: State) -> Layout:
    """Read the sizes of WeSpeaker's ECAPA-TDNN; raise a ValueError if one lacks."""
    pooled = size(state, "conv.weight")
    options = {
        "channels": size(state, "layer1.conv.weight"),
        "pooled_channels": pooled,
        "context": size(state, "pool.linear1.weight", 1) == 3 * pooled,
        "block_input": "previous",
        "unbiased": True,
        "variance_floor": WESPEAKER_ATTENTION_FLOOR,
        "feat_dim": size(state, "layer1.conv.weight", 1),
        "embedding_dim": size(state, "linear.weight"),
    }
    modules = {
        "stem.0": "layer1.conv",
        "stem.2": "layer1.bn",
        "merge.0": "conv",
        FRAME: "pool.linear1",
        "pool.attention.scores.1": "pool.linear2",
        "output.0": "bn",
        "output.1": "linear",
    }
    for block in range(len(DILATIONS)):
        ours, theirs = f"blocks.{block}", f"layer{block + 2}.se_res2block"
        for part, number in (("before", 0), ("after", 2)):
            modules[f"{ours}.{part}.0"] = f"{theirs}.{number}.conv"
            modules[f"{ours}.{part}.2"] = f"{theirs}.{number}.bn"
        for group in range(7):
            modules[f"{ours}.cascade.{group}.0"] = f"{theirs}.1.convs.{group}"
            modules[f"{ours}.cascade.{group}.2"] = f"{theirs}.1.bns.{group}"
        modules[f"{ours}.gate.gate.0"] = f"{theirs}.3.linear1"
        modules[f"{ours}.gate.gate.2"] = f"{theirs}.3.linear2"
    return Layout(_ecapa_name(options), options, modules)


def speechbrain_layout(state: State) -> Layout:
    """Read the sizes of SpeechBrain's ECAPA-TDNN; raise a ValueError if one lacks.

    Its cascade leaves the first group of channels as it is, ours the last.
    """
    pooled = size(state, "mfa.conv.conv.weight")
    channels = size(state, "blocks.0.conv.conv.weight")
    options = {
        "channels": channels,
        "pooled_channels": pooled,
        "context": size(state, "asp.tdnn.conv.conv.weight", 1) == 3 * pooled,
        "block_input": "previous",
        "mirrored": True,
        "variance_floor": SPEECHBRAIN_FLOOR,
        "feat_dim": size(state, "blocks.0.conv.conv.weight", 1),
        "embedding_dim": size(state, "fc.conv.weight"),
    }
    modules = {
        "stem.0": "blocks.0.conv.conv",
        "stem.2": "blocks.0.norm.norm",
        "merge.0": "mfa.conv.conv",
        "merge.2": "mfa.norm.norm",
        FRAME: "asp.tdnn.conv.conv",
        "pool.attention.scores.0.1": "asp.tdnn.norm.norm",
        "pool.attention.scores.1": "asp.conv.conv",
        "output.0": "asp_bn.norm",
        "output.1": "fc.conv",
    }
    convolved, rolled = ["output.1"], {}
    for block in range(len(DILATIONS)):
        ours, theirs = f"blocks.{block}", f"blocks.{block + 1}"
        for part, name in (("before", "tdnn1"), ("after", "tdnn2")):
            modules[f"{ours}.{part}.0"] = f"{theirs}.{name}.conv.conv"
            modules[f"{ours}.{part}.2"] = f"{theirs}.{name}.norm.norm"
        for group in range(7):
            name = f"{theirs}.res2net_block.blocks.{group}"
            modules[f"{ours}.cascade.{group}.0"] = f"{name}.conv.conv"
            modules[f"{ours}.cascade.{group}.2"] = f"{name}.norm.norm"
        modules[f"{ours}.gate.gate.0"] = f"{theirs}.se_block.conv1.conv"
        modules[f"{ours}.gate.gate.2"] = f"{theirs}.se_block.conv2.conv"
        convolved += [f"{ours}.gate.gate.0", f"{ours}.gate.gate.2"]
        for tensor in ("weight", "bias"):
            rolled[f"{ours}.before.0.{tensor}"] = 0
        for tensor in ("weight", "bias", "running_mean", "running_var"):
            rolled[f"{ours}.before.2.{tensor}"] = 0
        rolled[f"{ours}.after.0.weight"] = 1
    name = _ecapa_name(options)
    return Layout(name, options, modules, tuple(convolved), rolled, channels // 8)


def _ecapa_name(options: Mapping[str, Any]) -> str:
    """Name an ECAPA-TDNN as the registry does."""
    return "ecapa_tdnn_1024" if options["channels"] == 1024 else "ecapa_tdnn"


# Names of tensors that tell a network -> what reads its sizes.
Kinds = Mapping[str, Callable[[State], Layout]]
WESPEAKER: Kinds = {
    "xvector.tdnn.linear.weight": partial(
        campplus_layout, variance_floor=WESPEAKER_FLOOR
    ),
    "layer2.se_res2block.0.conv.weight": ecapa_layout,
    "seg_1.weight": resnet_layout,
}
THREE_D_SPEAKER: Kinds = {
    "xvector.tdnn.linear.weight": partial(campplus_layout, variance_floor=NO_FLOOR),
    "mfa.conv.conv.weight": speechbrain_layout,
    "seg_1.weight": resnet_layout,
}
