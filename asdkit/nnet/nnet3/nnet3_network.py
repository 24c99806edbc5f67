"""Networks of Kaldi's nnet3 as networks of ours: x-vectors, as Kaldi computes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from asdkit.base.ranges import Count, Natural
from asdkit.nnet.network import Network
from asdkit.nnet.nnet3 import components, groups, norms, timed
from asdkit.nnet.nnet3.components import Component
from asdkit.nnet.nnet3.node_graph import Graph, merged
from asdkit.nnet.nnet3.topology import xvector_graph

COMPONENTS: Mapping[str, type[Component]] = {
    "AffineComponent": components.Affine,
    "NaturalGradientAffineComponent": components.Affine,
    "FixedAffineComponent": components.FixedAffine,
    "LinearComponent": components.Linear,
    "BlockAffineComponent": components.BlockAffine,
    "RepeatedAffineComponent": components.RepeatedAffine,
    "NaturalGradientRepeatedAffineComponent": components.RepeatedAffine,
    "FixedScaleComponent": components.FixedScale,
    "FixedBiasComponent": components.FixedBias,
    "PerElementScaleComponent": components.PerElementScale,
    "NaturalGradientPerElementScaleComponent": components.PerElementScale,
    "PerElementOffsetComponent": components.PerElementOffset,
    "ScaleAndOffsetComponent": components.ScaleAndOffset,
    "ConstantFunctionComponent": components.ConstantFunction,
    "RectifiedLinearComponent": components.RectifiedLinear,
    "SigmoidComponent": components.Sigmoid,
    "TanhComponent": components.Tanh,
    "SoftmaxComponent": components.Softmax,
    "LogSoftmaxComponent": components.LogSoftmax,
    "BatchNormComponent": norms.BatchNorm,
    "NormalizeComponent": norms.Normalize,
    "SumBlockComponent": groups.SumBlock,
    "SumGroupComponent": groups.SumGroup,
    "ElementwiseProductComponent": groups.ElementwiseProduct,
    "PnormComponent": groups.Pnorm,
    "PermuteComponent": groups.Permute,
    "DropoutComponent": norms.Dropout,
    "GeneralDropoutComponent": norms.GeneralDropout,
    "NoOpComponent": components.Same,
    "ClipGradientComponent": components.Same,
    "BackpropTruncationComponent": components.Scaled,
    "SpecAugmentTimeMaskComponent": components.Same,
    "TdnnComponent": timed.Tdnn,
    "StatisticsExtractionComponent": timed.StatisticsExtraction,
    "StatisticsPoolingComponent": timed.StatisticsPooling,
}
LONGEST_CONTEXT = 2048  # frames; a network that needs more has no x-vectors


class Nnet3(Network):
    """A network of Kaldi's nnet3, in which time is what it is in Kaldi.

    Nothing is padded, so that the first and last frames are seen by fewer outputs of a
    layer, and statistics are of the frames that are there.  An utterance is cut into
    chunks, whose embeddings are averaged with their numbers of frames as weights.

    Args:
        graph: "nodes", a line of Kaldi's for each; "config", nodes that are laid over
            them for extraction, if any; "components", for each its "name", "type" and
            "fields", see `asdkit.nnet.nnet3.components.Component`; None: the x-vector
            of Kaldi's voxceleb/v2.
        max_chunk_size: frames per chunk of an utterance; 0: whole utterances.
        min_chunk_size: shortest chunk in frames; shorter ones are extended or left out.
        pad_input: extend shorter chunks by repeating their first and last frame.
        feat_dim: feature dimension (D).
        embedding_dim: embedding dimension of a network without ``graph``.

    Attributes:
        context: frames that an embedding needs at least.

    Raises:
        ValueError: the graph is malformed, or has a part that is not supported.

    Source: D. Snyder et al., "X-vectors", ICASSP 2018; Kaldi,
    src/nnet3bin/nnet3-xvector-compute.cc for the chunks.
    """

    def __init__(
        self,
        graph: Mapping[str, Any] | None = None,
        max_chunk_size: Natural = 10_000,
        min_chunk_size: Count = 25,
        pad_input: bool = True,
        feat_dim: Count = 30,
        embedding_dim: Count = 512,
    ) -> None:
        is_new = graph is None
        if graph is None:
            graph = xvector_graph(feat_dim, embedding_dim)
        self.lines: list[str] = [*graph["nodes"]]
        self.config: list[str] = [*graph.get("config", ())]
        self.names = [item["name"] for item in graph["components"]]
        self.types = [item["type"] for item in graph["components"]]
        if len({*self.names}) < len(self.names):
            raise ValueError("two components have one name")
        parts = [_component(**item) for item in graph["components"]]
        by_name = dict(zip(self.names, parts, strict=True))
        found = Graph(merged(self.lines, self.config), by_name)
        if (dim := found.dims[found.input]) != feat_dim:
            raise ValueError(f"feat_dim: the network takes {dim}, got {feat_dim}")
        super().__init__(feat_dim, found.dims[found.output])
        self.graph = found
        self.max_chunk_size = max_chunk_size
        self.min_chunk_size = min_chunk_size
        self.pad_input = pad_input
        self.components = nn.ModuleList(parts)
        self._freeze_unused()
        self.eval()
        self.context = self._shortest()
        self.train()
        self.min_frames = 1 if pad_input else min_chunk_size
        if min_chunk_size < self.context:
            self.min_frames = self.context
        least = max(self.context, 1 if pad_input else min_chunk_size)
        if 0 < max_chunk_size < least and not (pad_input and self.min_frames == 1):
            raise ValueError(f"max_chunk_size: expected at least {least} frames")
        if is_new:
            for part in parts:
                part.initialize()

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, D, T) -> (N, E)."""
        lengths = [x.shape[2]] if num_frames is None else num_frames.tolist()
        x = x.mT  # (N, T, D)
        longest, shortest = max(lengths), min(lengths)
        if shortest >= self.min_chunk_size and not 0 < self.max_chunk_size < longest:
            return self._compute(x, lengths)
        chunks = self._chunks(lengths * (len(x) // len(lengths)))
        owner, first, size, padded = np.array(chunks).T  # (M,) each
        before = (padded - size) // 2
        place = np.arange(padded.max())[None] - before[:, None]
        place = first[:, None] + np.clip(place, 0, size[:, None] - 1)  # (M, T')
        index = torch.from_numpy(owner).to(x.device)
        cut = x[index[:, None], torch.from_numpy(place).to(x.device)]  # (M, T', D)
        parts = self._compute(cut, padded.tolist())
        weights = size / np.bincount(owner, size)[owner]
        parts = parts * torch.from_numpy(weights).to(parts)[:, None]
        return parts.new_zeros(len(x), parts.shape[1]).index_add(0, index, parts)

    def _compute(self, x: Tensor, lengths: Sequence[int]) -> Tensor:
        """(M, T, D) chunks and their lengths -> (M, E)."""
        defined, embeddings = self.graph.compute(x, lengths, self._by_name())
        assert defined.all()  # for `min_frames` and `_chunks`
        return embeddings

    def _chunks(self, lengths: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """Cut N utterances: utterance, first frame, frames, and frames when padded.

        A chunk that is too short for the network ends Kaldi's program; here it is left
        out unless it is the only one.
        """
        found = []
        for n, length in enumerate(lengths):
            step = min(self.max_chunk_size or length, length)
            for first in range(0, length, step):
                size = min(step, length - first)
                padded = max(size, self.min_chunk_size) if self.pad_input else size
                is_long = size >= self.min_chunk_size or self.pad_input
                if is_long and padded >= self.context:
                    found.append((n, first, size, padded))
        return found

    def _by_name(self) -> dict[str, Component]:
        """Map names to components, as they are now."""
        found = zip(self.names, self.components, strict=True)
        return {name: x for name, x in found if isinstance(x, Component)}

    def _freeze_unused(self) -> None:
        """Leave out of any training what the embedding does not depend on."""
        for name, component in zip(self.names, self.components, strict=True):
            if name not in self.graph.used:
                component.requires_grad_(False)

    def _shortest(self) -> int:
        """Find the smallest number of frames that has an embedding."""
        by_name = self._by_name()
        most = 1
        while not self.graph.defined(most, by_name):
            most *= 2
            if most > LONGEST_CONTEXT:
                raise ValueError(
                    f"its output at t = 0 is not defined for any utterance of up to "
                    f"{LONGEST_CONTEXT} frames; it has no x-vectors"
                )
        least = most // 2  # not defined
        while most - least > 1:
            middle = (least + most) // 2
            if self.graph.defined(middle, by_name):
                most = middle
            else:
                least = middle
        return most

    def described_components(self) -> Iterator[tuple[str, str, Component]]:
        """Yield name, type and component, in the order of the file."""
        yield from zip(self.names, self.types, self._by_name().values(), strict=True)


def _component(name: str, type: str, fields: Sequence[Any]) -> Component:
    """Construct a component.

    Raises:
        ValueError: it is of a type that is not supported, or malformed.
    """
    if type not in COMPONENTS:
        raise ValueError(f"component {name!r} is a {type}, which is not supported")
    try:
        found: Component = COMPONENTS[type](fields)
    except ValueError as error:
        raise ValueError(f"component {name!r}, a {type}, {error}") from None
    return found
