"""Write a model as an ONNX file that gives what the model gives, or write nothing."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.inference.graph import Form, graph_of
from asdkit.inference.graph_models import Networked, require_network, without_dither
from asdkit.inference.onnx_file import to_onnx
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.parity import (
    MAX_DIFFERENCE,
    MIN_COSINE,
    Parity,
    compare,
    read_check_audio,
    synthesize_check_audio,
    through_sherpa,
)
from asdkit.inference.quantization import Int8, quantize
from asdkit.inference.trained_model import TrainedModel
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

TRACED_SEC = 3.0
LEAST_COSINE = 0.9  # of an int8 graph; less is not the same model


class Exported(NamedTuple):
    """A graph that has passed.

    Attributes:
        content: the file.
        parity: how equal it is to the training path.
        float_parity: that of the float graph; the same unless the graph is int8.
        float_content: the float graph; the same unless the graph is int8.
    """

    content: bytes
    parity: Parity
    float_parity: Parity
    float_content: bytes

    @property
    def float_bytes(self) -> int:
        """Size of the float graph."""
        return len(self.float_content)


def export(
    model: TrainedModel,
    form: Form = "waveform",
    int8: Int8 = "none",
    check_audio: PathName | None = None,
) -> Exported:
    """Turn a network into an ONNX graph, and compare both.

    Args:
        model: from `asdkit.load`; its dither is turned off, as graphs have none.
        form: input of the graph: samples (waveform), our features (feats), or those
            that sherpa-onnx computes itself (sherpa).
        int8: 8-bit weights: none; dynamic, with activations quantized as they come; or
            static, with ranges from the check audio.
        check_audio: sound file to compare on, a directory of them, or a list (.txt,
            .scp); None: four synthesized voices.

    Raises:
        AsdkitError: the model has no graph of this form, a package is missing, or the
            graph gives other results than the model.
        DataError: the audio cannot be read.
    """
    network = require_network(model)
    without_dither(network)
    rate = network.front_end.sampling_rate
    graph = graph_of(network, form)
    least = int(graph_of(network, "waveform").metadata["min_samples"])
    if check_audio is not None:
        speech = read_check_audio(check_audio, rate)
    else:
        speech = synthesize_check_audio(rate)
    traced = round(TRACED_SEC * (rate if form == "waveform" else 100))
    content = to_onnx(graph, traced)
    parity = compare(network, OnnxModel(content), speech, least)
    _require(network, parity)
    logger.info("parity with the training path: %s", parity)
    if form == "sherpa":
        _check_client(network, content, speech)
    if int8 == "none":
        return Exported(content, parity, parity, content)
    small = quantize(content, int8, network, form, speech)
    found = compare(network, OnnxModel(small), speech, least)
    logger.info("int8: %.3g of the size, %s", len(small) / len(content), found)
    if found.cosine < LEAST_COSINE:
        problem = f"8 bits change the model: {found}"
        raise AsdkitError(f"{model.path}: {problem}", hint="--int8 none")
    return Exported(small, found, parity, content)


def write_export(path: PathName, exported: Exported) -> None:
    """Write a graph that has passed, atomically."""
    with write_atomic(path, "wb") as stream:
        stream.write(exported.content)


def _require(model: Networked, parity: Parity, whose: str = "its graph") -> None:
    """Raise unless a graph is equal to the model."""
    if not parity.holds:
        raise AsdkitError(
            f"{model.path}: {whose} differs from the training path: {parity}; expected "
            f"cosine >= {MIN_COSINE} and <= {MAX_DIFFERENCE}; nothing is written",
            hint="this is a bug in asdkit, unless the model is numerically unstable",
        )


def _check_client(model: Networked, content: bytes, speech: np.ndarray) -> None:
    """Compare the client itself, if it is installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(content)
        parity = through_sherpa(model, path, speech)
    if parity is None:
        logger.warning(
            "sherpa-onnx is not installed: the graph is checked, the client is not "
            "(pip install sherpa-onnx)"
        )
        return
    _require(model, parity, "sherpa-onnx with its graph")
    logger.info("parity of sherpa-onnx: %s", parity)
