import json

import numpy as np

from asdkit.countermeasures.trees import Nodes, Trees, read_booster


def test_every_embedding_falls_to_its_leaf():
    """Two trees: x0 <= 1 and then x1 <= 5; and a leaf alone."""
    model = Trees()
    model.keep(
        Nodes(
            feature=np.array([0, 1, -1, -1, -1, -1]),
            threshold=np.array([1.0, 5.0, 0, 0, 0, 0]),
            left=np.array([1, 3, -1, -1, -1, -1]),
            right=np.array([2, 4, -1, -1, -1, -1]),
            value=np.array([0, 0, 0.1, 0.2, 0.3, 7]),
            root=np.array([0, 5]),
        )
    )
    x = np.array([[0, 0], [1, 5], [1, 5.001], [1.001, 0]])
    expected = [[0.2, 7], [0.2, 7], [0.3, 7], [0.1, 7]]
    np.testing.assert_array_equal(model.leaves(x), expected)


def test_xgboost_sends_only_what_is_below_to_the_left():
    tree = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [1, 0, 0],
        "split_conditions": [3.0, -0.5, 0.5],
    }
    trees = {"gradient_booster": {"model": {"trees": [tree, tree]}}}
    model = Trees()
    model.keep(read_booster(json.dumps({"learner": trees}).encode()))
    below = np.nextafter(np.float32(3), np.float32(0))
    x = np.array([[9.0, below], [0.0, 3.0]])
    np.testing.assert_array_equal(model.leaves(x), [[-0.5, -0.5], [0.5, 0.5]])
