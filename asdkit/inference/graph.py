"""Trained networks as ONNX graphs."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from typing import Any, Literal

from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.graph_front_end import GraphFrontEnd, GraphLogMel
from asdkit.inference.graph_layers import FromFeatures, FromSamples, Head
from asdkit.inference.graph_models import Networked, require_network
from asdkit.inference.graph_selection import Cropped
from asdkit.inference.onnx_file import Graph
from asdkit.inference.sherpa import require_sherpa, sherpa_keys
from asdkit.inference.trained_model import TrainedModel
from asdkit.inference.waveform_front_end import MIN_SEC
from asdkit.nnet.log_mel import LogMel
from asdkit.nnet.network import Network

Form = Literal["waveform", "sherpa", "feats"]

MAX_SEC = 60.0  # up to which a graph is checked


def graph_of(model: TrainedModel, form: Form) -> Graph:
    """Build the graph of a model.

    Args:
        model: from `asdkit.load`.
        form: waveform: samples in; feats: features in; sherpa: features in, with the
            metadata that sherpa-onnx asks for.

    Raises:
        AsdkitError: the model, its features or its options have no graph of this form.
    """
    model = require_network(model)
    is_cm = isinstance(model, NetworkCountermeasure)
    source = (
        model.cm.network
        if isinstance(model, NetworkCountermeasure)
        else (model.network)
    )
    network = _for_graph(source)
    head = Head(model.cm.loss) if isinstance(model, NetworkCountermeasure) else None
    if form == "waveform":
        return _from_samples(model, network, head, is_cm)
    if form == "sherpa":
        require_sherpa(model)
    config = model.front_end.config
    if config.type == "waveform":
        problem = "its features are samples: there is no form feats"
        raise AsdkitError(f"{model.path}: {problem}", hint="--form waveform")
    output = "score" if is_cm else "embs"
    return Graph(
        FromFeatures(network, head, config.subtract_mean),
        {"feats": {0: "N", 1: "T"}},
        {output: {0: "N"}},
        {**_about(model, form, network), "min_frames": str(network.min_frames)},
        is_cm,
        network.feat_dim,
    )


def _from_samples(
    model: Networked, network: Network, head: nn.Module | None, is_cm: bool
) -> Graph:
    """Build a graph with its front end."""
    config, extractor = model.front_end.config, model.front_end.extractor
    crop = None
    if isinstance(model, NetworkCountermeasure):
        crop = Cropped(model.cm.crop, model.cm.chunk_frames, network.min_frames)
    least = math.ceil(MIN_SEC * model.front_end.sampling_rate)
    try:
        front_end = GraphFrontEnd(config, extractor, least, crop)
    except AsdkitError as error:
        raise AsdkitError(f"{model.path}: {error}", hint=error.hint) from None
    frames = 1 if crop else network.min_frames
    min_samples = max(
        front_end.frames.min_samples,
        front_end.frames.samples_for(frames),
        least if config.source == "audio" else 1,
    )
    about = {
        **_about(model, "waveform", network),
        "min_samples": str(min_samples),
        "max_samples": str(round(MAX_SEC * model.front_end.sampling_rate)),
        "min_frames": str(frames),
    }
    outputs = {"score" if is_cm else "embedding": {0: "N"}, "num_frames": {0: "N"}}
    by_frame = isinstance(model, NetworkCountermeasure) and model.cm.localizes
    if by_frame:
        outputs |= {"frame_scores": {0: "N", 1: "T"}, "num_scores": {0: "N"}}
        about |= _times(model, network)
    return Graph(
        FromSamples(front_end, network, head, by_frame).eval(),
        {"samples": {0: "N", 1: "L"}, "num_samples": {0: "N_or_1"}},
        outputs,
        about,
        is_cm,
    )


def _times(model: Networked, network: Network) -> dict[str, str]:
    """Say which time a frame of the network stands for."""
    extractor, rate = model.front_end.extractor, model.front_end.sampling_rate
    shift = extractor.window_shift / rate
    before = (extractor.window_size - extractor.window_shift) / 2 / rate
    if not getattr(extractor, "snip_edges", True):
        before = 0.0
    return {
        "frame_shift_sec": f"{network.frame_stride * shift:g}",
        "frame_first_sec": f"{before:g}",
    }


def _for_graph(network: Network) -> Network:
    """Copy a network, with layers that ONNX has."""
    if type(network).__name__ == "SslEcapa":
        problem = "a self-supervised encoder is exported by its own tools, not here"
        raise AsdkitError(problem, hint="distill it into a smaller network")
    if type(network).__name__ == "Nnet3":
        problem = "an x-vector network of Kaldi's nnet3 has no graph here yet"
        raise AsdkitError(problem, hint="--teacher distills it into one that has")
    network = copy.deepcopy(network).cpu().eval()
    if isinstance(layer := getattr(network, "log_mel", None), LogMel):
        network.log_mel = GraphLogMel(layer)
    return network


def _about(model: Networked, form: Form, network: Network) -> dict[str, str]:
    """Say what a client has to know of a graph."""
    is_cm = isinstance(model, NetworkCountermeasure)
    rate = str(model.front_end.sampling_rate)
    about = {
        "producer": "asdkit",
        "form": form,
        "what": model.what,
        "sample_rate": rate,
        "output_dim": str(1 if is_cm else network.embedding_dim),
        "features": _as_json(model.front_end.config.description),
        "dither": "0",
    }
    if form != "waveform":
        about |= sherpa_keys(model)
    return about


def _as_json(options: Mapping[str, Any]) -> str:
    """Write options as JSON."""
    return json.dumps(dict(options), sort_keys=True)
