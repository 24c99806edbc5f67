"""The x-vector networks of Kaldi's recipes, as the graph of a new network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

# Offsets and dimension of the layers before the pooling, in voxceleb/v2 and sre16/v2.
LAYERS: Sequence[tuple[Sequence[int], int]] = (
    ((-2, -1, 0, 1, 2), 512),
    ((-2, 0, 2), 512),
    ((-3, 0, 3), 512),
    ((0,), 512),
    ((0,), 1500),
)
CONTEXT = 10_000  # frames that are pooled at most
COUNT = 1000.0  # frames that statistics claim to be of, where Kaldi goes on training
NOTHING = {"shape": [0]}


class _Builder:
    """Nodes and components, one after another."""

    def __init__(self, feat_dim: int) -> None:
        self.nodes = [f"input-node name=input dim={feat_dim}"]
        self.components: list[dict[str, Any]] = []
        self.last = "input"
        self.dim = feat_dim

    def add(self, name: str, kind: str, fields: Iterable[Any], read: str = "") -> None:
        """Add a component and its node, which reads the last one."""
        fields = [list(field) for field in fields]
        self.components.append({"name": name, "type": kind, "fields": fields})
        read = read or self.last
        self.nodes.append(f"component-node name={name} component={name} input={read}")
        self.last = name

    def affine(self, name: str, dim: int, offsets: Sequence[int] = (0,)) -> None:
        """Add an affine layer of the last node at several offsets."""
        parts = [f"Offset({self.last}, {t})" if t else self.last for t in offsets]
        read = f"Append({', '.join(parts)})" if len(parts) > 1 else parts[0]
        columns = self.dim * len(offsets)
        fields = (
            ("MaxChange", 0.75),
            ("LearningRate", 0.001),
            ("LinearParams", {"shape": [dim, columns]}),
            ("BiasParams", {"shape": [dim]}),
            ("RankIn", min(20, (columns + 1) // 2)),
            ("RankOut", min(80, (dim + 1) // 2)),
            ("UpdatePeriod", 4),
            ("NumSamplesHistory", 2000.0),
            ("Alpha", 4.0),
        )
        self.add(f"{name}.affine", "NaturalGradientAffineComponent", fields, read)
        self.dim = dim

    def relu_norm(self, name: str, epsilon: float) -> None:
        """Add a ReLU and batch normalization."""
        relu = (
            ("Dim", self.dim),
            ("ValueAvg", NOTHING),
            ("DerivAvg", NOTHING),
            ("Count", 0.0),
            ("OderivRms", NOTHING),
            ("OderivCount", 0.0),
            ("NumDimsSelfRepaired", 0.0),
            ("NumDimsProcessed", 0.0),
            ("SelfRepairScale", 1e-5),
        )
        norm = (
            ("Dim", self.dim),
            ("BlockDim", self.dim),
            ("Epsilon", epsilon),
            ("TargetRms", 1.0),
            ("TestMode", False),
            ("Count", COUNT),
            ("StatsMean", {"shape": [self.dim]}),
            ("StatsVar", {"shape": [self.dim]}),
        )
        self.add(f"{name}.relu", "RectifiedLinearComponent", relu)
        self.add(f"{name}.batchnorm", "BatchNormComponent", norm)

    def statistics(self, with_stddev: bool, variance_floor: float) -> None:
        """Add the pooling over all frames that there are."""
        extraction = (
            ("InputDim", self.dim),
            ("InputPeriod", 1),
            ("OutputPeriod", 1),
            ("IncludeVarinance", with_stddev),
        )
        size = self.dim * (1 + with_stddev)
        pooling = (
            ("InputDim", size + 1),
            ("InputPeriod", 1),
            ("LeftContext", 0),
            ("RightContext", CONTEXT),
            ("NumLogCountFeatures", 0),
            ("OutputStddevs", with_stddev),
            ("VarianceFloor", variance_floor),
        )
        name = f"0-{CONTEXT}"
        self.add(
            f"stats-extraction-{name}", "StatisticsExtractionComponent", extraction
        )
        self.add(f"stats-pooling-{name}", "StatisticsPoolingComponent", pooling)
        self.last, self.dim = f"Round({self.last}, 1)", size


def xvector_graph(
    feat_dim: int,
    embedding_dim: int,
    layers: Sequence[tuple[Sequence[int], int]] = LAYERS,
    num_after: int = 1,
    epsilon: float = 1e-3,
    with_stddev: bool = True,
    variance_floor: float = 1e-10,
) -> dict[str, Any]:
    """Describe an x-vector network up to its embedding.

    Args:
        feat_dim: D.
        embedding_dim: E, of every layer after the pooling.
        layers: offsets and dimension of each layer before it.
        num_after: number of layers after it; the affine map of the last is the output.
        epsilon: of batch normalization.
        with_stddev: pool the standard deviation, too.
        variance_floor: of the pooling.

    Returns:
        what `Nnet3` takes, with layers tdnn1, tdnn2, ...

    Source: Kaldi, egs/voxceleb/v2/run.sh and egs/sre16/v2/local/nnet3/xvector.
    """
    builder = _Builder(feat_dim)
    for n, (offsets, dim) in enumerate(layers, start=1):
        builder.affine(f"tdnn{n}", dim, offsets)
        builder.relu_norm(f"tdnn{n}", epsilon)
    builder.statistics(with_stddev, variance_floor)
    last = len(layers) + num_after
    for n in range(len(layers) + 1, last + 1):
        builder.affine(f"tdnn{n}", embedding_dim)
        if n < last:
            builder.relu_norm(f"tdnn{n}", epsilon)
    builder.nodes.append(
        f"output-node name=output input={builder.last} objective=linear"
    )
    return {"nodes": builder.nodes, "components": builder.components}
