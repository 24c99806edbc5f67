import json

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.io.tensors import load_tensors, save_tensors
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import (
    build_network,
    full_options,
    load_network,
    save_network,
)
from asdkit.nnet.registry import MODELS


def options_of(network, loss="aam_softmax", **changed):
    return {
        "network": full_options(MODELS, network, changed),
        "loss": full_options(LOSSES, loss, {}),
        "classes": ["anne", "bob", "carl"],
        "features": {"lane": "stored"},
    }


@pytest.mark.parametrize("network", MODELS)
def test_every_network_can_be_rebuilt_from_what_json_keeps(network, request):
    if network.startswith("ssl_"):
        request.getfixturevalue("torchaudio")
    with torch.device("meta"):
        options = options_of(network)
        built = build_network(options).network.state_dict()
        again = build_network(json.loads(json.dumps(options))).network.state_dict()
    assert {k: v.shape for k, v in built.items()} == {
        k: v.shape for k, v in again.items()
    }


@pytest.mark.parametrize("loss", LOSSES)
def test_a_network_comes_back_with_loss_classes_and_options(loss, tmp_path):
    options = options_of("resnet18", loss, channels=4, feat_dim=16, embedding_dim=8)
    options["classes"] = ["spoof", "bonafide"]  # one loss is for these only
    trained = build_network(options)
    trained.network(torch.randn(2, 20, 16))  # moves the statistics
    save_network(tmp_path / "network.pt", trained)
    found = load_network(tmp_path / "network.pt")
    assert not found.network.training
    assert found.options["classes"] == ["spoof", "bonafide"]
    x = torch.randn(2, 30, 16)
    assert torch.equal(found.network(x), trained.network.eval()(x))
    for name, value in trained.loss.state_dict().items():
        assert torch.equal(found.loss.state_dict()[name], value)


def test_a_file_keeps_defaults_that_may_change():
    assert options_of("resnet34")["network"]["channels"] == 32
    assert options_of("resnet34", channels=8)["network"]["channels"] == 8


def test_a_file_that_lacks_a_tensor_names_it(tmp_path):
    path = tmp_path / "network.pt"
    save_network(path, build_network(options_of("resnet18", channels=4, feat_dim=16)))
    for part in ("network", "loss"):
        names = load_tensors(path, "Network")[1][part]
        for name in [*names][:: len(names) // 5 or 1]:
            options, tensors = load_tensors(path, "Network")
            del tensors[part][name]
            save_tensors(tmp_path / "less.pt", "Network", options, tensors)
            with pytest.raises(DataError, match=f"less.pt: .*Missing.*{name}"):
                load_network(tmp_path / "less.pt")
        options, tensors = load_tensors(path, "Network")
        del tensors[part]
        save_tensors(tmp_path / "less.pt", "Network", options, tensors)
        with pytest.raises(DataError, match=f"less.pt: it lacks '{part}'"):
            load_network(tmp_path / "less.pt")


def test_a_network_of_another_version_is_refused(tmp_path):
    path = tmp_path / "network.pt"
    options = options_of("resnet18", channels=4, feat_dim=16)
    save_network(path, build_network(options))
    for change in ({"name": "resnet17"}, {"depth": 3}, {"channels": 8}):
        options, tensors = load_tensors(path, "Network")
        options["network"] |= change
        save_tensors(tmp_path / "other.pt", "Network", options, tensors)
        with pytest.raises(DataError, match="this version cannot build it"):
            load_network(tmp_path / "other.pt")
