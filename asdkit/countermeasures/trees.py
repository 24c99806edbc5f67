"""Decision trees as arrays, all trees of a model concatenated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np


class Nodes(NamedTuple):
    """The nodes of trees.

    Attributes:
        feature: (M,) dimension that a node tests, -1 for leaves.
        threshold: (M,) threshold of the test; values up to it go left.
        left: (M,) the next node; of leaves, anything.
        right: (M,) likewise.
        value: (M,) value of a leaf.
        root: (T,) the first node of every tree.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    root: np.ndarray


class Trees:
    """Base of classifiers made of trees; attributes as those of `Nodes`."""

    feature_: np.ndarray
    threshold_: np.ndarray
    left_: np.ndarray
    right_: np.ndarray
    value_: np.ndarray
    root_: np.ndarray

    def keep(self, nodes: Nodes) -> None:
        """Make nodes attributes."""
        for name, array in nodes._asdict().items():
            setattr(self, f"{name}_", array)

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """(N, D) -> (N, T), the leaf value of every tree.

        Embeddings are rounded to float32 first, as both libraries do.
        """
        x = x.astype(np.float32)
        rows = np.arange(len(x))[:, None]
        nodes = np.tile(self.root_, (len(x), 1))  # (N, T)
        while ((feature := self.feature_[nodes]) >= 0).any():
            is_left = x[rows, feature] <= self.threshold_[nodes]
            children = np.where(is_left, self.left_[nodes], self.right_[nodes])
            nodes = np.where(feature >= 0, children, nodes)
        return self.value_[nodes]


def join_trees(trees: Iterable[Any]) -> Nodes:
    """Join scikit-learn's trees of two classes; leaves hold the share of the second."""
    return _join(
        Nodes(
            np.where(tree.children_left < 0, -1, tree.feature),
            tree.threshold,
            tree.children_left,
            tree.children_right,
            tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1),
            np.zeros(1, np.int64),
        )
        for tree in trees
    )


def read_booster(model: bytes | bytearray) -> Nodes:
    """Read XGBoost's trees.

    Args:
        model: the booster as JSON.

    Source: XGBoost's documentation, "Introduction to model IO" and its schema.
    """
    trees = json.loads(model)["learner"]["gradient_booster"]["model"]["trees"]
    return _join(_read_tree(tree) for tree in trees)


def _read_tree(tree: dict[str, Any]) -> Nodes:
    """Read a tree; values below a threshold go left, the threshold itself right."""
    left = np.array(tree["left_children"])
    numbers = np.array(tree["split_conditions"], np.float32)  # of leaves, their values
    feature = np.where(left < 0, -1, tree["split_indices"])
    just_below = np.nextafter(numbers, np.float32(-np.inf))
    right = np.array(tree["right_children"])
    return Nodes(feature, just_below, left, right, numbers, np.zeros(1, np.int64))


def _join(trees: Iterable[Nodes]) -> Nodes:
    """Concatenate trees, renumbering their nodes."""
    parts = []
    first = 0
    for tree in trees:
        parts.append(
            tree._replace(
                left=tree.left + first,
                right=tree.right + first,
                root=tree.root + first,
            )
        )
        first += len(tree.feature)
    return Nodes(*(np.hstack(arrays) for arrays in zip(*parts, strict=True)))
