"""The table of networks, and their published sizes."""

import json

import pytest
import torch

from asdkit.base.registry import defaults_of
from asdkit.nnet.cost import num_parameters
from asdkit.nnet.registry import MODELS, build

# papers.md: 0.2, 4.3 and C.1 without a classifier; 2.3 with one of two outputs.
SIZES = {
    "resnet_se34": 6_389_324,
    "resnet_se34_fast": 1_437_078,
    "resnet34": 6_634_336,
    "xvector": 3_645_404,
    "campplus": 7_176_224,
    "ecapa_tdnn": 6_190_720,  # "6.19 M"
    "ecapa_tdnn_1024": 14_657_088,  # "14.65 M"
    "resnet221": 23_792_224,  # "23.79 M"
}
SIZES_WITH_CLASSIFIER = {
    "senet9": 314_896,
    "senet18": 710_256,
    "senet34": 1_347_792,
    "senet50": 1_096_624,
    "ecanet9": 312_188,
    "ecanet18": 704_840,
    "ecanet34": 1_338_016,
    "ecanet50": 1_057_376,
}


@pytest.fixture(autouse=True)
def _shapes_only():
    """Build on the device whose tensors have no numbers, which takes no time."""
    with torch.device("meta"):
        yield


@pytest.mark.parametrize("name", SIZES)
def test_a_network_has_its_published_number_of_parameters(name):
    assert num_parameters(build(name)) == SIZES[name]


@pytest.mark.parametrize("name", SIZES_WITH_CLASSIFIER)
def test_a_countermeasure_has_its_published_size_with_its_classifier(name):
    network = build(name)
    classifier = torch.nn.Linear(network.embedding_dim, 2, bias=False)
    size = num_parameters(network) + num_parameters(classifier)
    assert size == SIZES_WITH_CLASSIFIER[name]


def test_the_other_pair_of_paper_0_has_the_same_sizes_too():
    options = {"pooling": "asp", "embedding_dim": 256}
    assert num_parameters(build("resnet_se34", **options)) == 6_389_068
    assert num_parameters(build("resnet_se34_fast", **options)) == 1_436_822


@pytest.mark.parametrize("name", MODELS)
def test_options_survive_a_model_file(name):
    """A tuple comes back from JSON as a list."""
    options = json.loads(json.dumps(defaults_of(MODELS, name)))
    assert {"feat_dim", "embedding_dim"} <= options.keys()
    again = build(name, **options)
    for parameter, same in zip(
        build(name).parameters(), again.parameters(), strict=True
    ):
        assert parameter.shape == same.shape


@pytest.mark.parametrize("name", MODELS)
def test_dimensions_are_options(name):
    network = build(name, feat_dim=33, embedding_dim=7).eval()
    with torch.inference_mode():
        assert network(torch.ones(1, 20, 33)).shape == (1, 7)
    assert (network.feat_dim, network.embedding_dim) == (33, 7)


def test_unknown_names_and_options_are_named():
    with pytest.raises(ValueError, match=r"expected one of resnet18, .*'resnet35'"):
        build("resnet35")
    with pytest.raises(
        ValueError, match="xvector has no option 'chanels'; it has chan"
    ):
        build("xvector", chanels=3)
