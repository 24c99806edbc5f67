"""Trained networks as ONNX graphs."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import require
from asdkit.features.mel import Fbank
from asdkit.inference.detectors import GmmCountermeasure, NetworkCountermeasure
from asdkit.inference.embedders import IvectorEmbedder, NetworkEmbedder
from asdkit.inference.graph_front_end import GraphFrontEnd, GraphLogMel
from asdkit.inference.graph_selection import Cropped, subtract_mean
from asdkit.inference.trained_model import TrainedModel
from asdkit.inference.waveform_front_end import MIN_SEC
from asdkit.losses.classification import ClassificationLoss
from asdkit.nnet.log_mel import LogMel
from asdkit.nnet.network import Network
from asdkit.nnet.padding import zero_padding

logger = logging.getLogger(__name__)

Form = Literal["waveform", "sherpa", "feats"]
Networked = NetworkEmbedder | NetworkCountermeasure

OPSET = 17
MAX_SEC = 60.0  # up to which a graph is checked
ONNX = "pip install asdkit[export]"
# What sherpa-onnx computes for its speaker models, 2.0.1, equal to kaldi-native-fbank's
# features; dither, which it leaves out, is not compared.
SHERPA = Fbank(num_mel_bins=80, snip_edges=False, high_freq=-400.0, dither=0.0)


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


class FromSamples(nn.Module):
    """Front end, network, and head of a model.

    Args:
        front_end: from samples to frames.
        network: from frames to embeddings.
        head: from embeddings to scores; None: none.
        by_frame: score every frame, too.
    """

    def __init__(
        self,
        front_end: GraphFrontEnd,
        network: Network,
        head: nn.Module | None,
        by_frame: bool = False,
    ) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network
        self.head = head
        self.by_frame = by_frame

    def forward(self, samples: Tensor, num_samples: Tensor) -> tuple[Tensor, ...]:
        """(N, L) samples, (N,) lengths or (1,) 0 -> (N, E) or (N,), and (N,) frames.

        With ``by_frame``, then (N, T') scores of the network's frames, and (N,) how
        many of the T' are real.
        """
        whole = torch.full_like(samples[:, 0], samples.shape[1]).long()  # (N,)
        num_samples = torch.where(num_samples > 0, num_samples, whole)
        feats, found = self.front_end(samples, num_samples)
        # Convolutions without padding would fail; who calls refuses so few frames.
        num_frames = found.clamp(min=self.network.min_frames)
        x = zero_padding(feats.transpose(1, 2), num_frames)  # (N, D, T)
        if self.by_frame and self.head is not None:
            return self._frames(x, num_frames, self.head, found)
        output = self.network.embed(x, num_frames)
        return (output if self.head is None else self.head(output)), found

    def _frames(
        self, x: Tensor, num_frames: Tensor, head: nn.Module, found: Tensor
    ) -> tuple[Tensor, ...]:
        """Score recordings and their frames; what is before pooling only once."""
        pool, last = self.network.pool, self.network.output
        assert isinstance(pool, nn.Module)
        assert isinstance(last, nn.Module)
        maps, lengths = self.network.frames(x, num_frames)  # (N, C, T')
        each = last(maps.transpose(1, 2))  # (N, T', E)
        scores = head(each.flatten(0, 1)).reshape(each.shape[0], each.shape[1])
        assert lengths is not None
        return head(last(pool(maps, lengths))), found, scores, lengths


class FromFeatures(nn.Module):
    """Network and head of a model.

    Args:
        network: from frames to embeddings.
        head: from embeddings to scores; None: none.
        subtract_mean: subtract the mean over time.
    """

    def __init__(
        self, network: Network, head: nn.Module | None, subtract_mean: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.head = head
        self.subtract_mean = subtract_mean

    def forward(self, feats: Tensor) -> Tensor:
        """(N, T, D) -> (N, E) or (N,)."""
        num_frames = torch.full_like(feats[:, 0, 0], feats.shape[1]).long()  # (N,)
        if self.subtract_mean:
            feats = subtract_mean(feats, num_frames)
        output = self.network.embed(feats.transpose(1, 2), num_frames)
        return output if self.head is None else self.head(output)


class Head(nn.Module):
    """The scores of a loss.

    Args:
        loss: has `scores`.
    """

    def __init__(self, loss: ClassificationLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, embeddings: Tensor) -> Tensor:
        """(N, E) -> (N,)."""
        scores: Tensor = self.loss.scores(embeddings)
        return scores


def require_network(model: TrainedModel) -> Networked:
    """Return a model that has a graph.

    Raises:
        AsdkitError: it is of another kind; the message says why it has none.
    """
    if isinstance(model, (NetworkEmbedder, NetworkCountermeasure)):
        return model
    if isinstance(model, IvectorEmbedder):
        problem = (
            "an i-vector extractor has no graph: ONNX has no Cholesky, no triangular "
            "solve and no inverse"
        )
        hint = "distill it into a network (nnet-train --teacher) and export that"
        raise AsdkitError(f"{model.path}: {problem}", hint=hint)
    if isinstance(model, GmmCountermeasure):
        problem = "two Gaussian mixtures have no graph here"
    else:
        problem = f"{model.what} has no graph"
    raise AsdkitError(f"{model.path}: {problem}", hint="networks have one")


def without_dither(model: Networked) -> None:
    """Make a model deterministic, as its graph is."""
    extractor = model.front_end.extractor
    if getattr(extractor, "dither", 0.0):
        options = {**extractor.options, "dither": 0.0}
        model.front_end.extractor = type(extractor)(**options)


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
        _require_sherpa(model)
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
        # The keys that sherpa-onnx ends a process for, if one is missing.
        about |= {
            "framework": "wespeaker",
            "language": "any",
            "normalize_samples": "0",  # samples times 32768, as Kaldi has them
            "url": "asdkit",
            "comment": "the graph subtracts the mean itself"
            if model.front_end.config.subtract_mean
            else "no mean is subtracted",
        }
    return about


def _as_json(options: Mapping[str, Any]) -> str:
    """Write options as JSON."""
    return json.dumps(dict(options), sort_keys=True)


def _require_sherpa(model: Networked) -> None:
    """Raise unless sherpa-onnx computes the features of a model."""
    config = model.front_end.config
    problems = []
    if isinstance(model, NetworkCountermeasure):
        problems.append("it is a countermeasure, not a network of speakers")
    if config.type != "fbank":
        problems.append(f"--type fbank (it has {config.type})")
    else:
        found = model.front_end.extractor.options
        problems += [
            f"--{name.replace('_', '-')} {_shown(value)} (it has {_shown(found[name])})"
            for name, value in SHERPA.options.items()
            if name != "dither" and found[name] != value
        ]
    if config.delta_order:
        problems.append("--delta-order 0")
    if config.voiced:
        problems.append("--voiced false")
    if config.cmn_window:
        problems.append("--cmn-window 0")
    if problems:
        raise AsdkitError(
            f"{model.path}: sherpa-onnx computes other features: it needs "
            + ", ".join(problems),
            hint="train with these options, or export with --form waveform",
        )


def _shown(value: Any) -> str:
    """Write an option's value as a command line has it."""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


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
