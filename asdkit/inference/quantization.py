"""Graphs with 8-bit weights, of a quarter of the size."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.packages import require
from asdkit.inference.graph import Form
from asdkit.inference.graph_models import Networked
from asdkit.inference.onnx_file import ONNX, shorten_names

Int8 = Literal["none", "dynamic", "static"]
QUANTIZED = ("Conv", "MatMul", "Gemm")
PIECE_SEC = 4.0  # of the speech that ranges are from
NUM_PIECES = 40  # at most


def quantize(
    content: bytes,
    int8: Int8,
    model: Networked,
    form: Form,
    speech: np.ndarray,
) -> bytes:
    """Give the network of a graph 8-bit weights; its front end keeps its precision.

    Inside, names are short: of small networks they would be a quarter of the file.

    Args:
        content: the float graph.
        int8: dynamic or static.
        model: whose graph it is.
        form: of the graph.
        speech: (L,) for the ranges of static quantization.
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
                    _Reader(model, form, speech),
                    op_types_to_quantize=list(QUANTIZED),
                    nodes_to_exclude=kept,
                    per_channel=True,
                )
        finally:
            logging.getLogger().setLevel(level)
        return shorten_names(Path(after).read_bytes())


class _Reader:
    """Inputs for the ranges of activations, one after another.

    Args:
        model: computes features, where the graph takes these.
        form: of the graph.
        speech: (L,), cut into pieces.
    """

    def __init__(self, model: Networked, form: Form, speech: np.ndarray) -> None:
        piece = round(PIECE_SEC * model.front_end.sampling_rate)
        count = min(NUM_PIECES, max(1, len(speech) // piece))
        pieces = np.resize(speech, count * piece).reshape(count, piece)
        self.items = self._inputs(model, form, pieces)

    def _inputs(
        self, model: Networked, form: Form, pieces: np.ndarray
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the inputs of the graph for (K, L) pieces of speech."""
        for samples in pieces:
            if form == "waveform":
                length = np.array([len(samples)], dtype=np.int64)
                yield {"samples": samples[None], "num_samples": length}
                continue
            audio = samples, model.front_end.sampling_rate
            with contextlib.suppress(DataError):  # no speech in this one
                (prepared,) = model._prepare([audio])
                yield {"feats": prepared.frames[None].astype(np.float32)}

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next inputs; None: no more."""
        return next(self.items, None)
