"""Losses by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asdkit.base.references import Reference
from asdkit.base.registry import construct, find
from asdkit.base.signatures import parameters_of

if TYPE_CHECKING:
    from torch import nn

# These know the classes, e.g. the training speakers; any batch will do.
CLASSIFICATION: Mapping[str, Reference] = {
    "cross_entropy": Reference("asdkit.losses.classification:CrossEntropy"),
    "am_softmax": Reference("asdkit.losses.classification:AmSoftmax"),
    "aam_softmax": Reference("asdkit.losses.classification:AamSoftmax"),
    "a_softmax": Reference("asdkit.losses.classification:ASoftmax"),
    "oc_softmax": Reference("asdkit.losses.one_class:OcSoftmax"),
    "p2s_grad": Reference("asdkit.losses.classification:P2sGrad"),
}

# These compare utterances; a batch is so many utterances of each of its speakers.
METRIC: Mapping[str, Reference] = {
    "angular_prototypical": Reference("asdkit.losses.metric:AngularPrototypical"),
    "prototypical": Reference("asdkit.losses.metric:Prototypical"),
    "ge2e": Reference("asdkit.losses.metric:Ge2e"),
    "circle": Reference("asdkit.losses.metric:CircleLoss"),
    "triplet": Reference("asdkit.losses.metric:Triplet"),
}

LOSSES: Mapping[str, Reference] = {**CLASSIFICATION, **METRIC}

# Not to be chosen with a loss: set by the training plan, or by the loop.
GIVEN = ("class_weights", "annealing")


def build(name: str, embedding_dim: int, num_classes: int, **options: Any) -> nn.Module:
    """Construct a loss.

    Args:
        name: one of `LOSSES`.
        embedding_dim: E.
        num_classes: K; not needed by metric losses.
        options: options that differ from the defaults.

    Returns:
        a module: (N, E) embeddings, (N,) labels -> () loss.

    Raises:
        ValueError: there is no such loss, or it has no such option.
        AsdkitError: it is a plug-in's that the caller has not named.
    """
    sizes = {"embedding_dim": embedding_dim, "num_classes": num_classes}
    taken = parameters_of(find(LOSSES, name)).keys()
    given = {size: value for size, value in sizes.items() if size in taken}
    loss: nn.Module = construct(LOSSES, name, **given, **options)
    return loss
