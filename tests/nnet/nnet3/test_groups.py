"""Groups of dimensions, beside what is done to one frame."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3 import groups as g

CASES = {
    "sum": (
        g.SumBlock,
        {"InputDim": 6, "OutputDim": 2, "Scale": 0.5},
        lambda x: 0.5 * (x[:2] + x[2:4] + x[4:]),
    ),
    "product": (
        g.ElementwiseProduct,
        {"InputDim": 6, "OutputDim": 3},
        lambda x: x[:3] * x[3:],
    ),
    "pnorm": (
        g.Pnorm,
        {"InputDim": 6, "OutputDim": 2},
        lambda x: np.array([np.linalg.norm(x[:3]), np.linalg.norm(x[3:])]),
    ),
    "groups": (
        g.SumGroup,
        {"Sizes": [1, 3, 2]},
        lambda x: np.array([x[0], x[1:4].sum(), x[4:].sum()]),
    ),
    "permute": (g.Permute, {"ColumnMap": [5, 4, 3, 2, 1, 0]}, lambda x: x[::-1]),
}


@pytest.mark.parametrize("name", CASES)
def test_every_frame_is_mapped_by_itself(make, rng, name):
    kind, fields, function = CASES[name]
    component = make(kind, **fields)
    x = rng.normal(size=(2, 3, 6))
    with torch.no_grad():
        found = component(torch.from_numpy(x)).numpy()
    expected = np.array([[function(frame) for frame in part] for part in x])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert component.input_dim == 6
    assert component.output_dim == expected.shape[2]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (g.SumGroup, {"Sizes": [7, -1]}, "a group without dimensions"),
        (g.SumBlock, {"InputDim": 6, "OutputDim": 4}, "6 dimensions, blocks of 4"),
        (g.Permute, {"ColumnMap": [0, 2]}, "that is no permutation"),
    ],
)
def test_fields_that_do_not_fit_are_named(make, kind, fields, message):
    with pytest.raises(ValueError, match=message):
        make(kind, **fields)
