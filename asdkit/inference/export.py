"""Write a model as an ONNX file that gives what the model gives, or write nothing."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import require
from asdkit.inference.graph import (
    ONNX,
    Form,
    Networked,
    graph_of,
    require_network,
    to_onnx,
    without_dither,
)
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.parity import (
    MAX_DIFFERENCE,
    MIN_COSINE,
    Parity,
    compare,
    cut_lengths,
    read_check_audio,
    synthesize_check_audio,
    through_sherpa,
)
from asdkit.inference.trained_model import TrainedModel
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

Int8 = Literal["none", "dynamic", "static"]
TRACED_SEC = 3.0
QUANTIZED = ("Conv", "MatMul", "Gemm")
LEAST_COSINE = 0.9  # of an int8 graph; less is not the same model


class Exported(NamedTuple):
    """A graph that has passed.

    Attributes:
        content: the file.
        parity: how equal it is to the training path.
        float_parity: that of the float graph; the same unless the graph is int8.
        float_bytes: size of the float graph.
    """

    content: bytes
    parity: Parity
    float_parity: Parity
    float_bytes: int


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
        check_audio: sound file to compare on, or a directory of them; None: four
            synthesized voices.

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
        return Exported(content, parity, parity, len(content))
    small = quantize(content, int8, network, form, speech, least)
    found = compare(network, OnnxModel(small), speech, least)
    logger.info("int8: %.3g of the size, %s", len(small) / len(content), found)
    if found.cosine < LEAST_COSINE:
        problem = f"8 bits change the model: {found}"
        raise AsdkitError(f"{model.path}: {problem}", hint="--int8 none")
    return Exported(small, found, parity, len(content))


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


def quantize(
    content: bytes,
    int8: Int8,
    model: Networked,
    form: Form,
    speech: np.ndarray,
    least: int,
) -> bytes:
    """Give the network of a graph 8-bit weights; its front end keeps its precision.

    Args:
        content: the float graph.
        int8: dynamic or static.
        model: whose graph it is.
        form: of the graph.
        speech: (L,) for the ranges of static quantization.
        least: the shortest recording, in samples.
    """
    onnx = require("onnx", ONNX)
    quantization = require("onnxruntime.quantization", ONNX)
    nodes = onnx.load_model_from_string(content).graph.node
    kept = [x.name for x in nodes if "front_end" in x.name or "log_mel" in x.name]
    level = logging.getLogger().level
    with tempfile.TemporaryDirectory() as folder:
        before, after = os.path.join(folder, "a.onnx"), os.path.join(folder, "b.onnx")
        Path(before).write_bytes(content)
        logging.getLogger().setLevel(logging.ERROR)  # it advises to preprocess
        try:
            if int8 == "dynamic":
                quantization.quantize_dynamic(
                    before,
                    after,
                    op_types_to_quantize=list(QUANTIZED),
                    nodes_to_exclude=kept,
                    weight_type=quantization.QuantType.QUInt8,
                )
            else:
                quantization.quantize_static(
                    before,
                    after,
                    _Reader(model, form, speech, least),
                    op_types_to_quantize=list(QUANTIZED),
                    nodes_to_exclude=kept,
                    per_channel=True,
                )
        finally:
            logging.getLogger().setLevel(level)
        return Path(after).read_bytes()


class _Reader:
    """Inputs for the ranges of activations, one after another.

    Args:
        model: computes features, where the graph takes these.
        form: of the graph.
        speech: (L,).
        least: the shortest recording, in samples.
    """

    def __init__(
        self, model: Networked, form: Form, speech: np.ndarray, least: int
    ) -> None:
        rate = model.front_end.sampling_rate
        longest = 5 * rate
        cuts = [x[:longest] for x in cut_lengths(speech, max(least, rate // 2), rate)]
        self.items = self._inputs(model, form, cuts)

    def _inputs(
        self, model: Networked, form: Form, cuts: Sequence[np.ndarray]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the inputs of the graph."""
        for samples in cuts:
            if form == "waveform":
                length = np.array([len(samples)], dtype=np.int64)
                yield {"samples": samples[None], "num_samples": length}
                continue
            audio = samples, model.front_end.sampling_rate
            (prepared,) = model._prepare([audio])
            yield {"feats": prepared.frames[None].astype(np.float32)}

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next inputs; None: no more."""
        return next(self.items, None)
