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


def spoken(classes, loss="aam_softmax", **options):
    """A small network of speakers, its weights by chance."""
    return build_network(
        {
            "network": full_options(MODELS, "xvector", {"feat_dim": 4, "channels": 4}),
            "loss": full_options(LOSSES, loss, options),
            "classes": list(classes),
        }
    )


@pytest.fixture
def speakers(tmp_path):
    """Write a network of five speakers, two centers each; return it and where."""
    torch.manual_seed(0)
    trained = spoken("abcde", num_subcenters=2)
    save_network(tmp_path / "network.pt", trained)
    return trained, tmp_path / "network.pt"


def test_what_a_loss_knows_of_speakers_is_copied_by_their_names(speakers):
    trained, path = speakers
    torch.manual_seed(1)
    started = spoken("db", num_subcenters=2, margin=0.5)
    before = started.loss.weight.clone()
    copy_weights(path, started)
    assert torch.equal(started.loss.weight, before)
    copy_weights(path, started, with_loss=True)
    assert torch.equal(started.loss.weight, trained.loss.weight[[6, 7, 2, 3]])
    assert started.loss.margin == 0.5


@pytest.mark.parametrize(
    ("classes", "loss", "options", "message"),
    [
        ("abx", "aam_softmax", {"num_subcenters": 2}, "lacks 1 of 3 classes: x"),
        ("ab", "aam_softmax", {}, "expected the loss aam_softmax of this size"),
        ("ab", "am_softmax", {}, "expected the loss am_softmax of this size, got aam"),
    ],
)
def test_a_loss_that_does_not_fit_is_named(speakers, classes, loss, options, message):
    with pytest.raises(DataError, match=message):
        copy_weights(speakers[1], spoken(classes, loss, **options), with_loss=True)
