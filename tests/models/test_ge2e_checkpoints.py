"""Checkpoints in resemblyzer's layout, with weights of our own: it is 17 MB."""

import pytest
import torch

import asdkit
from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.models.ge2e_checkpoints import read_ge2e


@pytest.fixture
def checkpoint(tmp_path):
    """The layout of pretrained.pt; the names and shapes are the package's."""
    torch.manual_seed(0)
    state = {"similarity_weight": torch.ones(1), "similarity_bias": torch.ones(1)}
    for layer, width in enumerate((40, 256, 256)):
        state[f"lstm.weight_ih_l{layer}"] = 0.1 * torch.randn(1024, width)
        state[f"lstm.weight_hh_l{layer}"] = 0.1 * torch.randn(1024, 256)
        for kind in ("ih", "hh"):
            state[f"lstm.bias_{kind}_l{layer}"] = 0.1 * torch.randn(1024)
    state["linear.weight"] = torch.randn(256, 256)
    state["linear.bias"] = torch.randn(256)
    path = tmp_path / "pretrained.pt"

    def write(**change):
        content = {"step": 1, "model_state": {**state, **change}}
        torch.save(content, path)
        return path

    return write


def test_it_becomes_a_network_like_any_other(checkpoint, tmp_path, rng):
    path = checkpoint()
    assert main(["model-import", "ge2e", str(path), str(tmp_path / "ge2e")]) == 0
    model = asdkit.load(tmp_path / "ge2e")
    assert "trained elsewhere" in model.what
    x = rng.normal(0, 0.1, (2, 32000)).astype("float32")
    embedding = model.embed((x[0], 16000))
    assert embedding.shape == (256,)
    assert float(model.score((x[0], 16000), (x[0], 16000))) == pytest.approx(1)
    weights = read_ge2e(path).network.state_dict()["linear.bias"]
    assert torch.equal(weights, torch.load(path)["model_state"]["linear.bias"])


def test_other_tensors_are_named(checkpoint):
    with pytest.raises(DataError, match=r"GE2E d-vector: tensor 'linear\.bias'"):
        read_ge2e(checkpoint(**{"linear.bias": torch.ones(3)}))
    with pytest.raises(DataError, match=r"'more' of shape .* is not expected"):
        read_ge2e(checkpoint(more=torch.ones(1)))
