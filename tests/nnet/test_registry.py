"""The table of networks, and their published sizes."""

import json

import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.base.registry import defaults_of
from asdkit.nnet.complexity import num_parameters
from asdkit.nnet.registry import MODELS, build

# papers.md: 0.2, 4.3 and C.1 without a classifier; 2.3 with one of two outputs.
SIZES = {
    "resnet_se34": 6_389_324,
    "resnet_se34_fast": 1_437_078,
    "resnet_se34_samples": 6_389_324,
    "resnet_se34_fast_samples": 1_437_078,
    "resnet34": 6_634_336,
    "xvector": 3_645_404,
    "campplus": 7_176_224,
    "ecapa_tdnn": 6_190_720,  # "6.19 M"
    "ecapa_tdnn_1024": 14_657_088,  # "14.65 M"
    "resnet221": 23_792_224,  # "23.79 M"
    "redimnet2_b0": 1_114_356,  # "1.1M": one digit, cut off
    "redimnet2_b1": 2_160_336,  # "2.1M"
}
SAMPLED = ["resnet_se34_samples", "resnet_se34_fast_samples"]
WAVEFORM = ["rawnet2", "aasist", "aasist_l", "dvector", "ssl_ecapa", *SAMPLED]
# With a linear classifier of two outputs, some with a bias.
SIZES_WITH_CLASSIFIER = {
    "senet9": 314_896,
    "senet18": 710_256,
    "senet34": 1_347_792,
    "senet50": 1_096_624,
    "ecanet9": 312_188,
    "ecanet18": 704_840,
    "ecanet34": 1_338_016,
    "ecanet50": 1_057_376,
    "aasist": 297_866,
    "aasist_l": 85_306,
    # Counted from the configuration of the ASVspoof 2021 baseline, layer by layer:
    # stem, two narrow blocks, four wide ones, before the GRU, three GRUs, two linears.
    "rawnet2": 40
    + (2 * 1220 + 40 + 420)
    + (2 * 1220 + 80 + 420)
    + (40 + 7808 + 256 + 49_280 + 2688 + 16_512)
    + 3 * (512 + 2 * 49_280 + 16_512)
    + 256
    + 3 * 1024 * (128 + 1024 + 2)
    + 2 * 3 * 1024 * (1024 + 1024 + 2)
    + 1024 * 1025
    + 2 * 1025,
}
BIASED = ("aasist", "aasist_l", "rawnet2")


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
    classifier = torch.nn.Linear(network.embedding_dim, 2, bias=name in BIASED)
    size = num_parameters(network) + num_parameters(classifier)
    assert size == SIZES_WITH_CLASSIFIER[name]


def test_the_other_pair_of_paper_0_has_the_same_sizes_too():
    options = {"pooling": "asp", "embedding_dim": 256}
    assert num_parameters(build("resnet_se34", **options)) == 6_389_068
    assert num_parameters(build("resnet_se34_fast", **options)) == 1_436_822


@pytest.fixture
def network_name(request):
    """Of a network that can be built here."""
    if request.param.startswith("ssl_"):
        request.getfixturevalue("torchaudio")
    return request.param


@pytest.mark.parametrize("network_name", MODELS, indirect=True)
def test_options_survive_a_model_file(network_name):
    """A tuple comes back from JSON as a list."""
    options = json.loads(json.dumps(defaults_of(MODELS, network_name)))
    assert {"feat_dim", "embedding_dim"} <= options.keys()
    again = build(network_name, **options)
    for parameter, same in zip(
        build(network_name).parameters(), again.parameters(), strict=True
    ):
        assert parameter.shape == same.shape


@pytest.mark.parametrize("network_name", MODELS, indirect=True)
def test_dimensions_are_options(network_name):
    feat_dim = 1 if network_name in WAVEFORM else 33
    # Windows of d-vectors are counted, for which lengths must be numbers.
    device = "cpu" if network_name == "dvector" else "meta"
    with torch.device(device), torch.inference_mode():
        network = build(network_name, feat_dim=feat_dim, embedding_dim=7).eval()
        feats = torch.ones(1, network.min_frames + 20, feat_dim)
        assert network(feats).shape == (1, 7)
    assert (network.feat_dim, network.embedding_dim) == (feat_dim, 7)


@pytest.mark.parametrize("name", WAVEFORM)
def test_a_network_on_samples_says_which_features_it_takes(name):
    with pytest.raises(AsdkitError, match="takes samples, got features of 33") as error:
        build(name, feat_dim=33)
    assert error.value.hint == "--features waveform"


def test_unknown_names_and_options_are_named():
    with pytest.raises(ValueError, match=r"expected one of resnet18, .*'resnet35'"):
        build("resnet35")
    with pytest.raises(
        ValueError, match="xvector has no option 'chanels'; it has chan"
    ):
        build("xvector", chanels=3)
