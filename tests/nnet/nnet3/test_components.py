"""Components that map frames one by one, beside what they do to one frame."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3 import components as c

RNG = np.random.default_rng(0)
W, B = RNG.normal(size=(4, 6)), RNG.normal(size=4)
V = RNG.normal(size=6)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


CASES = {
    "same": (c.Same, {"Dim": 6}, lambda x: x),
    "scaled": (c.Scaled, {"Dim": 6, "Scale": 0.5}, lambda x: x / 2),
    "relu": (c.RectifiedLinear, {"Dim": 6}, lambda x: np.maximum(x, 0)),
    "sigmoid": (c.Sigmoid, {"Dim": 6}, lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (c.Tanh, {"Dim": 6}, np.tanh),
    "softmax": (c.Softmax, {"Dim": 6}, softmax),
    "log-softmax": (c.LogSoftmax, {"Dim": 6}, lambda x: np.log(softmax(x))),
    "affine": (c.Affine, {"LinearParams": W, "BiasParams": B}, lambda x: W @ x + B),
    "fixed": (c.FixedAffine, {"LinearParams": W, "BiasParams": B}, lambda x: W @ x + B),
    "linear": (c.Linear, {"Params": W}, lambda x: W @ x),
    "blocks": (
        c.BlockAffine,
        {"NumBlocks": 2, "LinearParams": W[:, :3], "BiasParams": B},
        lambda x: np.concatenate([W[:2, :3] @ x[:3], W[2:, :3] @ x[3:]]) + B,
    ),
    "repeated": (
        c.RepeatedAffine,
        {"NumRepeats": 2, "LinearParams": W[:, :3], "BiasParams": B},
        lambda x: np.concatenate([W[:, :3] @ x[:3] + B, W[:, :3] @ x[3:] + B]),
    ),
    "scale": (c.FixedScale, {"Scales": V}, lambda x: V * x),
    "element": (c.PerElementScale, {"Params": V}, lambda x: V * x),
    "bias": (c.FixedBias, {"Bias": V}, lambda x: x + V),
    "offset": (
        c.PerElementOffset,
        {"Dim": 6, "Offsets": V[:3]},
        lambda x: x + np.tile(V[:3], 2),
    ),
    "scale and offset": (
        c.ScaleAndOffset,
        {"Dim": 6, "Scales": np.array([2.0, 1e-9, -1e-9]), "Offsets": V[:3]},
        lambda x: x * np.tile([2, 1e-4, -1e-4], 2) + np.tile(V[:3], 2),
    ),
    "constant": (c.ConstantFunction, {"InputDim": 6, "Output": B}, lambda x: B),
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
        (c.Same, {}, "lacks <Dim>"),
        (c.Same, {"Dim": 0}, "maps 0 to 0 dimensions"),
        (c.Affine, {"LinearParams": W}, "lacks <BiasParams> of 1 axes"),
        (c.Affine, {"LinearParams": W, "BiasParams": V}, "a bias of another size"),
        (c.BlockAffine, {"NumBlocks": 3, "LinearParams": W}, "4 rows, 3 blocks"),
        (c.BlockAffine, {"NumBlocks": 0, "LinearParams": W}, "4 rows, 0 blocks"),
        (
            c.BlockAffine,
            {"NumBlocks": 2, "LinearParams": W, "BiasParams": B[:1]},
            "a bias of another size",
        ),
        (
            c.RepeatedAffine,
            {"NumRepeats": 2, "LinearParams": W, "BiasParams": V},
            "a bias of another size",
        ),
        (c.PerElementOffset, {"Dim": 5, "Offsets": B}, "5 dimensions in blocks of 4"),
        (c.PerElementOffset, {"Dim": 5, "Offsets": B[:0]}, "in blocks of 0"),
        (c.ScaleAndOffset, {"Scales": B[:1], "Offsets": B}, "offsets of two sizes"),
    ],
)
def test_fields_that_do_not_fit_are_named(make, kind, fields, message):
    with pytest.raises(ValueError, match=message):
        make(kind, **fields)


def test_parameters_are_what_kaldi_trains(make):
    trained = make(c.Affine, LinearParams=W, BiasParams=B)
    assert {name for name, _ in trained.named_parameters()} == {
        *("linear_params", "bias_params"),
    }
    fixed = make(c.FixedAffine, LinearParams=W, BiasParams=B)
    assert not [*fixed.parameters()]
    assert fixed.state_dict().keys() == trained.state_dict().keys()


def test_new_weights_have_kaldis_spread():
    torch.manual_seed(0)
    component = c.Linear([["Params", {"shape": [200, 400]}]])
    component.initialize()
    assert component.params.std().item() == pytest.approx(400**-0.5, rel=0.02)
    assert c.attribute("StatsMean") == "stats_mean"
