"""Weights that a new network starts from."""

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import build_network, full_options, save_network
from asdkit.nnet.registry import MODELS
from asdkit.training.initialization import copy_weights


def new(**changed):
    return build_network(
        {
            "network": full_options(MODELS, "aasist_l", changed),
            "loss": full_options(LOSSES, "cross_entropy", {}),
            "classes": ["spoof", "bonafide"],
        }
    )


@pytest.fixture
def older(tmp_path):
    """Write a network as before there was an option pre_norm; return it and where."""
    torch.manual_seed(0)
    trained = new()
    del trained.options["network"]["pre_norm"]
    save_network(tmp_path / "network.pt", trained)
    return trained, tmp_path / "network.pt"


def test_a_file_from_before_an_option_starts_a_network_with_its_default(older):
    trained, path = older
    torch.manual_seed(1)
    started = new()
    copy_weights(path, started)
    for name, value in trained.network.state_dict().items():
        assert torch.equal(started.network.state_dict()[name], value), name


def test_a_file_from_before_an_option_starts_no_network_with_another_value(older):
    with pytest.raises(DataError, match=r"pre_norm = True, now False"):
        copy_weights(older[1], new(pre_norm=False))
