"""Import and export x-vector networks (kaldi-import, kaldi-export).

Kaldi keeps a network in final.raw, what its extraction lays over it in extract.config,
and the sizes of chunks in max_chunk_size and min_chunk_size, side by side.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from asdkit.base.errors import DataError
from asdkit.base.ranges import FilePath, Natural
from asdkit.batches.feature_config import FeatureConfig
from asdkit.data.staging import stage
from asdkit.features.mel import Mfcc
from asdkit.features.registry import name_of
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName
from asdkit.kaldi.conf_files import read_options
from asdkit.kaldi.nnet3.reader import Nnet3File, read_config, read_nnet3
from asdkit.kaldi.nnet3.writer import write_nnet3
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import (
    TrainedNetwork,
    build_network,
    full_options,
    load_network,
    save_network,
)
from asdkit.nnet.nnet3.components import LogSoftmax, Softmax
from asdkit.nnet.nnet3.nnet3_network import Nnet3
from asdkit.nnet.nnet3.node_graph import parse_node, parse_pairs
from asdkit.nnet.nnet3.topology import xvector_graph
from asdkit.nnet.pooling import VARIANCE_FLOOR
from asdkit.nnet.registry import MODELS
from asdkit.nnet.xvector import LAYERS, XVector
from asdkit.vad.energy import energy_vad

logger = logging.getLogger(__name__)
RAW = "final.raw"
CHUNKS = {"max_chunk_size": 10_000, "min_chunk_size": 100}  # nnet3-xvector-compute's
OUTPUT = "output-node name=output input=tdnn6.affine"


def read_xvector(
    source: PathName,
    cmn_window: int = 300,
    nnet_config: FilePath | None = None,
    chunk_size: Natural | None = None,
    min_chunk_size: Natural | None = None,
    pad_input: bool = True,
    mfcc_config: FilePath | None = None,
    vad_config: FilePath | None = None,
) -> TrainedNetwork:
    """Read a network of Kaldi's as one of ours.

    It takes features without a sliding mean and without pauses, as Kaldi's extraction
    prepares them, and has no classifier: Kaldi's is part of the graph.

    Args:
        source: final.raw or the like, or its directory.
        cmn_window: frames of the sliding window for mean subtraction; 0: none.
        nnet_config: nodes to lay over those of the network, e.g. to make the embedding
            its output; None: extract.config beside it, if it is there.
        chunk_size: frames per chunk of an utterance; 0: whole utterances; None: as
            max_chunk_size beside it says, 10000 if it is not there.
        min_chunk_size: shortest chunk in frames; None: as min_chunk_size beside it
            says, 100 if it is not there.
        pad_input: extend shorter chunks by repeating their first and last frame; false:
            leave them out.
        mfcc_config: conf/mfcc.conf of its features, so that the network can start from
            audio; None: unknown.
        vad_config: conf/vad.conf, likewise.

    Raises:
        DataError: a file is missing or damaged, or has what is not supported, or the
            output is that of a classifier.
    """
    path = Path(source)
    path = path / RAW if path.is_dir() else path
    file = read_nnet3(path)
    changes: list[str] = []
    config = None if nnet_config is None else Path(nnet_config)
    if config is None and (beside := path.with_name("extract.config")).exists():
        config = beside
    if config is not None:
        logger.info("kaldi-import: with %s", config)
        changes = read_config(config, file.nodes)
    sizes = {
        "max_chunk_size": _size(path, "max_chunk_size", chunk_size),
        "min_chunk_size": _size(path, "min_chunk_size", min_chunk_size),
    }
    front_end = _front_end(cmn_window, mfcc_config, vad_config)
    trained = _build(path, file, changes, front_end, sizes, pad_input)
    assert isinstance(trained.network, Nnet3)
    _refuse_classifier(path, trained.network)
    return trained


def _refuse_classifier(path: Path, network: Nnet3) -> None:
    """Raise a DataError if the output of a network is a softmax."""
    nodes = {node.name: node for node in network.graph.nodes}
    read = nodes[network.graph.output].input
    assert read is not None
    kinds = dict(zip(network.names, network.components, strict=True))
    for name in read.sources():
        if isinstance(kinds.get(nodes[name].component), (LogSoftmax, Softmax)):
            raise DataError(
                path,
                f"its output is that of a classifier, {name!r}, not an embedding",
                hint=f"--nnet-config FILE with a line such as {OUTPUT!r}",
            )


def import_network(source: PathName, destination: PathName, **options: Any) -> None:
    """Import a network: network.pt in a directory; arguments as for `read_xvector`."""
    trained = read_xvector(source, **options)
    network = trained.network
    assert isinstance(network, Nnet3)
    logger.info(
        "kaldi-import: %d components, %d of them up to an embedding of %d dimensions; "
        "chunks of %d frames, at least %d",
        len(network.names),
        len(network.graph.used),
        network.embedding_dim,
        network.max_chunk_size,
        network.min_chunk_size,
    )
    save_network(Path(destination) / "network.pt", trained)


def _size(path: Path, name: str, given: int | None) -> int:
    """Return what is given, or what a file beside the network says, or the default."""
    if given is not None:
        return given
    beside = path.with_name(name)
    if not beside.exists():
        logger.info("kaldi-import: without %s: %d", beside, CHUNKS[name])
        return CHUNKS[name]
    text = beside.read_text(errors="replace").strip()
    if not text.removeprefix("-").isdecimal() or len(text) > 9:
        raise DataError(
            beside, f"expected a number of frames, got {text[:20]!r}", line=1
        )
    return max(int(text), 0)  # -1 is the whole utterance


def _front_end(
    cmn_window: int, mfcc_config: str | None, vad_config: str | None
) -> FeatureConfig:
    """Describe the frames of a network, as far as it is known."""
    config = FeatureConfig(voiced=True, subtract_mean=False, cmn_window=cmn_window)
    if mfcc_config is not None:
        mfcc = Mfcc(**read_options(mfcc_config, Mfcc))
        config = replace(config, type=name_of(mfcc), options=dict(mfcc.options))
    if vad_config is not None:
        options = read_options(vad_config, energy_vad)
        config = replace(config, vad={"method": "energy", "options": options})
    return config


def _build(
    path: Path,
    file: Nnet3File,
    changes: list[str],
    front_end: FeatureConfig,
    sizes: dict[str, int],
    pad_input: bool,
) -> TrainedNetwork:
    """Construct the network, with its numbers and its front end."""
    inputs = [x for x in map(parse_node, file.nodes) if x.kind == "input-node"]
    main = [node for node in inputs if node.name == "input"] or inputs
    feat_dim = main[0].size if main else 1
    graph = file.graph | {"config": changes}
    options: dict[str, Any] = {"graph": graph, **sizes, "pad_input": pad_input}
    try:
        embedding_dim = Nnet3(**options, feat_dim=feat_dim).embedding_dim
    except ValueError as error:
        raise DataError(path, str(error)) from None
    options |= {"feat_dim": feat_dim, "embedding_dim": embedding_dim}
    trained = build_network(
        {
            "network": full_options(MODELS, "kaldi_xvector", options),
            "loss": full_options(LOSSES, "cross_entropy", {}),
            "features": front_end.description,
            "data": {},
            "classes": [],
        }
    )
    state = {
        f"components.{number}.{name}": torch.from_numpy(array)
        for (number, name), array in file.arrays.items()
    }
    trained.network.load_state_dict(state)
    trained.network.eval()
    trained.loss.eval()
    return trained


def export_network(source: PathName, kaldi_dir: PathName) -> None:
    """Write a network as Kaldi has it: final.raw, extract.config and the chunk sizes.

    Args:
        source: network.pt of kaldi_xvector, or of xvector with mean or statistics
            pooling.
        kaldi_dir: where to write.

    Raises:
        DataError: missing, damaged, or a network that nnet3 does not have.
    """
    network = load_network(source).network
    if isinstance(network, XVector):
        network = as_nnet3(network, source)
    if not isinstance(network, Nnet3):
        kind = type(network).__name__
        hint = "networks xvector and kaldi_xvector have one"
        raise DataError(source, f"nnet3 has no form of a {kind}", hint=hint)
    output = [f"output-node name=output input={_embedding(network)}"]
    with stage(Path(kaldi_dir)) as staged:
        write_nnet3(staged / RAW, network.lines, network.described_components())
        for name in CHUNKS:
            with write_atomic(staged / name) as stream:
                stream.write(f"{getattr(network, name)}\n")
        with write_atomic(staged / "extract.config") as stream:
            stream.writelines(f"{line}\n" for line in network.config or output)
    logger.info("kaldi-export: %s", Path(kaldi_dir) / RAW)


def _embedding(network: Nnet3) -> str:
    """Name what the output reads."""
    line = next(x.line for x in network.graph.nodes if x.name == network.graph.output)
    return parse_pairs(line)[1]["input"]


def as_nnet3(network: XVector, source: PathName) -> Nnet3:
    """Build the nnet3 network that computes what an x-vector network of ours does.

    Raises:
        DataError: its pooling is attentive, which nnet3 does not have.
    """
    if network.pool.attention is not None:
        raise DataError(
            source, "nnet3 has no attentive pooling", hint="--pooling stats"
        )
    convs: list[nn.Conv1d | nn.Linear] = [
        layer for layer in network.layers if isinstance(layer, nn.Conv1d)
    ]
    norms = [layer for layer in network.layers if isinstance(layer, nn.BatchNorm1d)]
    convs += [layer for layer in network.output if isinstance(layer, nn.Linear)]
    norms += [layer for layer in network.output if isinstance(layer, nn.BatchNorm1d)]
    layers = []
    for conv, (context, dilation) in zip(convs, LAYERS, strict=False):
        reach = (context - 1) // 2 * dilation
        offsets = range(-reach, reach + 1, dilation)
        layers.append(([*offsets], len(conv.weight)))
    graph = xvector_graph(
        network.feat_dim,
        network.embedding_dim,
        layers,
        num_after=2,
        epsilon=norms[0].eps,
        with_stddev=network.pool.with_std,
        variance_floor=VARIANCE_FLOOR,
    )
    made = Nnet3(graph, 10_000, 25, feat_dim=network.feat_dim)
    state: dict[str, Tensor] = {}
    for number, (name, kind, _) in enumerate(made.described_components()):
        layer = int(name.removeprefix("tdnn").partition(".")[0]) if "." in name else 0
        at = f"components.{number}"
        if kind == "NaturalGradientAffineComponent":
            weight: Tensor = convs[layer - 1].weight
            if weight.dim() == 3:  # (C', C, K), frame after frame in Kaldi
                weight = weight.transpose(1, 2).flatten(1)
            state[f"{at}.linear_params"] = weight
            state[f"{at}.bias_params"] = convs[layer - 1].state_dict()["bias"]
        elif kind == "BatchNormComponent":
            norm = norms[layer - 1].state_dict()
            state[f"{at}.stats_mean"] = norm["running_mean"]
            state[f"{at}.stats_var"] = norm["running_var"]
    made.load_state_dict(made.state_dict() | state)
    return made.eval()
