"""The kinds of trained models that have a graph."""

from __future__ import annotations

from asdkit.base.errors import AsdkitError
from asdkit.inference.detectors import GmmCountermeasure, NetworkCountermeasure
from asdkit.inference.embedders import IvectorEmbedder, NetworkEmbedder
from asdkit.inference.trained_model import TrainedModel

Networked = NetworkEmbedder | NetworkCountermeasure


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
