"""Every loss by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from asdkit.base.registry import construct
from asdkit.losses.classification import (
    AamSoftmax,
    AmSoftmax,
    ASoftmax,
    ClassificationLoss,
    CrossEntropy,
    P2sGrad,
)
from asdkit.losses.metric import (
    AngularPrototypical,
    CircleLoss,
    Ge2e,
    Prototypical,
    Triplet,
)
from asdkit.losses.one_class import OcSoftmax

# These know the classes, e.g. the training speakers; any batch will do.
CLASSIFICATION: dict[str, Callable[..., ClassificationLoss]] = {
    "cross_entropy": CrossEntropy,
    "am_softmax": AmSoftmax,
    "aam_softmax": AamSoftmax,
    "a_softmax": ASoftmax,
    "oc_softmax": OcSoftmax,
    "p2s_grad": P2sGrad,
}

# These compare utterances; a batch is so many utterances of each of its speakers.
METRIC: dict[str, Callable[..., nn.Module]] = {
    "angular_prototypical": AngularPrototypical,
    "prototypical": Prototypical,
    "ge2e": Ge2e,
    "circle": CircleLoss,
    "triplet": Triplet,
}

LOSSES: Mapping[str, Callable[..., nn.Module]] = {**CLASSIFICATION, **METRIC}


def build(name: str, embedding_dim: int, num_classes: int, **options: Any) -> nn.Module:
    """Construct a loss.

    Args:
        name: which of `LOSSES`.
        embedding_dim: E.
        num_classes: K; metric losses need neither.
        options: what differs from the defaults.

    Returns:
        a module: (N, E) embeddings, (N,) labels -> () loss.

    Raises:
        ValueError: there is no such loss, or it has no such option.
    """
    sizes = (embedding_dim, num_classes) if name in CLASSIFICATION else ()
    return construct(LOSSES, name, *sizes, **options)
