"""A module with named inputs and outputs, and how it becomes an ONNX file."""

from __future__ import annotations

import contextlib
import io
import itertools
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import require

OPSET = 17
ONNX = "pip install asdkit[export]"


@dataclass
class Graph:
    """A model as an ONNX graph, before or after it is a file.

    Attributes:
        module: the layers.
        inputs: names of the inputs, and which of their axes are dynamic.
        outputs: those of the outputs.
        metadata: what a client reads from the file.
        is_cm: whether it scores, or embeds.
        feat_dim: D, where the input is features.
    """

    module: nn.Module
    inputs: dict[str, dict[int, str]]
    outputs: dict[str, dict[int, str]]
    metadata: dict[str, str] = field(default_factory=dict)
    is_cm: bool = False
    feat_dim: int = 0


def to_onnx(graph: Graph, num_frames: int) -> bytes:
    """Trace a graph, and write it as an ONNX file with its metadata.

    Args:
        graph: from `graph_of`.
        num_frames: samples or frames of the two utterances to trace with.

    Raises:
        AsdkitError: onnx is not installed, or a layer has no ONNX operators.
    """
    onnx = require("onnx", ONNX)
    names = list(graph.inputs)
    if names[0] == "samples":
        lengths = torch.tensor([num_frames, num_frames - num_frames // 4])
        example: tuple[Tensor, ...] = (torch.randn(2, num_frames) * 0.1, lengths)
    else:
        dim = graph.feat_dim
        example = (torch.randn(2, num_frames, dim),)
    stream: Any = io.BytesIO()
    said = io.StringIO()  # where the exporter fails, it prints all it has
    with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(said):
        warnings.simplefilter("ignore")  # of constants, which the parity gate looks for
        try:
            torch.onnx.export(
                graph.module.eval(),
                example,
                stream,
                input_names=names,
                output_names=list(graph.outputs),
                dynamic_axes={**graph.inputs, **graph.outputs},
                opset_version=OPSET,
                dynamo=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            why = str(error).strip().partition("\n")[0]
            raise AsdkitError(f"it cannot be exported: {why}") from None
    model = onnx.load_model_from_string(stream.getvalue())
    if names[0] == "samples":
        # The input may be left out: all utterances are then as long as the batch.
        whole = onnx.numpy_helper.from_array(torch.zeros(1).long().numpy(), names[1])
        model.graph.initializer.append(whole)
    for key, value in sorted(graph.metadata.items()):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    return model.SerializeToString()


def shorten_names(content: bytes) -> bytes:
    """Name what is inside of a graph as shortly as possible; it computes the same.

    Names of inputs and outputs stay, and so do metadata.  Nodes lose their names, and
    tensors the shapes noted for readers; of equal constants one is left.
    """
    onnx = require("onnx", ONNX)
    model = onnx.load_model_from_string(content)
    public = {x.name for x in (*model.graph.input, *model.graph.output)}
    short = {"": "", **{name: name for name in public}}
    free = (np.base_repr(n, 36) for n in itertools.count())

    def name_of(name: str) -> str:
        """Return the new name of a tensor, always the same."""
        if name not in short:
            short[name] = next(x for x in free if x not in public)
        return short[name]

    def rename(graph: Any) -> None:
        """Rename what is in a graph, and in the graphs in its nodes."""
        del graph.value_info[:]
        for tensor in (*graph.initializer, *graph.input, *graph.output):
            tensor.name = name_of(tensor.name)
        constants: dict[bytes, str] = {}
        nodes = list(graph.node)
        del graph.node[:]
        for node in nodes:
            if node.op_type == "Constant" and node.output[0] not in public:
                value = node.attribute[0].SerializeToString()
                if value in constants:
                    short[node.output[0]] = constants[value]
                    continue
                constants[value] = name_of(node.output[0])
            node.ClearField("name")
            node.input[:] = map(name_of, node.input)
            node.output[:] = map(name_of, node.output)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    rename(attribute.g)
            graph.node.append(node)

    rename(model.graph)
    onnx.checker.check_model(model)
    shortened: bytes = model.SerializeToString()
    return shortened
