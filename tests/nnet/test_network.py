"""What holds for every network of the registry."""

import copy

import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.nnet.registry import MODELS, build

# tests/nnet/test_ssl.py has ssl_ecapa, small; here it would have WavLM's 324 M.
# tests/nnet/test_dvector.py has dvector: it pads what is short to 1.6 s, and untrained
# has forgotten by then what was heard; its embeddings all have the length 1.
OURS = [name for name in MODELS if name not in ("ssl_ecapa", "dvector")]
# All but the largest, which is resnet101 with more blocks.
NETWORKS = [name for name in OURS if name != "resnet221"]

WAVEFORM_UNIT = 300  # samples where others have frames; 16 of them are two nodes


def long_enough(network, *num_frames):
    """As many frames, or as many times so many samples."""
    unit = WAVEFORM_UNIT if network.feat_dim == 1 else 1
    return [unit * n for n in num_frames]


def embed_alone_and_padded(network, feats, lengths):
    """Embed utterances one by one and together, with what nobody should look at."""
    with torch.inference_mode():
        pairs = zip(feats, lengths, strict=True)
        alone = torch.cat([network(utt[None, :n]) for utt, n in pairs])
        for utt, n in zip(feats, lengths, strict=True):
            utt[n:] = 1e3
        return alone, network(feats, torch.tensor(lengths))


@pytest.mark.parametrize("name", NETWORKS)
def test_an_utterance_has_the_same_embedding_alone_and_padded(name, shake, rng):
    """In float64, where the smallest leak stands out from rounding."""
    network = shake(build(name)).double()
    lengths = long_enough(network, 16, 40, 29)
    feats = torch.from_numpy(rng.standard_normal((3, lengths[1], network.feat_dim)))
    alone, padded = embed_alone_and_padded(network, feats, lengths)
    assert padded.shape == (3, network.embedding_dim)
    differences = (alone - alone.mean(dim=0)).norm(dim=1)  # among the utterances
    assert ((padded - alone).norm(dim=1) / differences).max() < 1e-9


@pytest.mark.parametrize("name", NETWORKS)
def test_in_float32_the_same_holds_to_its_rounding(name, shake, rng):
    network = shake(build(name))
    lengths = long_enough(network, 16, 40, 29)
    shape = (3, lengths[1], network.feat_dim)
    feats = torch.from_numpy(rng.standard_normal(shape)).float()
    alone, padded = embed_alone_and_padded(network, feats, lengths)
    assert ((padded - alone).norm(dim=1) / alone.norm(dim=1)).max() < 1e-5


@pytest.mark.parametrize("name", OURS)
def test_every_parameter_gets_a_gradient_and_padding_gets_none(name, shake, rng):
    network = build(name)
    longer, shorter = lengths = long_enough(network, 20, 17)
    feats = torch.from_numpy(rng.standard_normal((2, longer, network.feat_dim))).float()
    feats.requires_grad_()
    network(feats, torch.tensor(lengths)).square().sum().backward()
    for parameter, tensor in network.named_parameters():
        assert tensor.grad is not None, parameter
        assert tensor.grad.isfinite().all(), parameter
    assert feats.grad[1, :shorter].abs().sum() > 0
    assert feats.grad[1, shorter:].abs().sum() == 0


@pytest.mark.parametrize(
    "name",
    ["resnet18", "senet9", "lcnn_lstm", "resnet_se34_fast", "aasist_l"],
)
def test_channels_last_gives_the_same_values_and_gradients(name, rng):
    """Exactly in float64; in float32 torch normalizes less exactly then, to 1e-5."""
    torch.manual_seed(0)
    network = build(name, **({"channels": 8} if name.startswith("resnet1") else {}))
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # its draws follow the order in memory
    (length,) = long_enough(network, 16)
    feats = torch.from_numpy(rng.standard_normal((4, length, network.feat_dim)))
    weights = torch.from_numpy(rng.standard_normal((4, network.embedding_dim)))

    def step(layout, dtype):
        model = copy.deepcopy(network).to(memory_format=layout).to(dtype).train()
        embeddings = model(feats.to(dtype))
        (embeddings * weights.to(dtype)).sum().backward()
        gradients = [parameter.grad.flatten() for parameter in model.parameters()]
        return embeddings.detach().double(), torch.cat(gradients).double()

    exact = step(torch.contiguous_format, torch.float64)
    for dtype, rounding in (torch.float64, (1e-9, 1e-9)), (torch.float32, (2e-4, 1e-2)):
        found = step(torch.channels_last, dtype)
        for x, y, bound in zip(exact, found, rounding, strict=True):
            assert (y - x).norm() < bound * x.norm()


@pytest.mark.parametrize("name", ["resnet18", "xvector", "campplus"])
def test_lengths_that_are_all_full_are_the_same_as_none(name, shake, rng):
    network = shake(build(name))
    feats = torch.from_numpy(rng.standard_normal((2, 30, network.feat_dim))).float()
    with torch.inference_mode():
        assert torch.equal(network(feats), network(feats, torch.tensor([30, 30])))


@pytest.mark.parametrize(
    ("shape", "num_frames", "problem"),
    [
        ((2, 20, 40), None, r"expected feats \(N, T, 80\), got \(2, 20, 40\)"),
        ((20, 80), None, r"expected feats \(N, T, 80\), got \(20, 80\)"),
        ((2, 20, 80), [20], r"expected num_frames \(2,\), got \(1,\)"),
        ((2, 20, 80), [20, 21], "feats have 20 frames, num_frames says 21"),
        ((2, 20, 80), [20, 14], "XVector needs 15 frames or more, .* of 14"),
        ((2, 14, 80), None, "XVector needs 15 frames or more, .* of 14"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(shape, num_frames, problem):
    lengths = None if num_frames is None else torch.tensor(num_frames)
    with pytest.raises(ValueError, match=problem):
        build("xvector")(torch.zeros(shape), lengths)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_shortest_utterance_has_an_embedding(name):
    network = build(name).eval()
    with torch.inference_mode():
        feats = torch.ones(1, network.min_frames, network.feat_dim)
        assert network(feats).isfinite().all()


def test_a_network_exports_with_any_number_of_utterances_and_frames(rng):
    """A Python int of a shape, such as len(x), would freeze it."""
    network = build("resnet18", blocks=(1, 1), channels=4).eval()
    sizes = {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}
    example = torch.zeros(2, 30, 80)
    exported = torch.export.export(network, (example,), dynamic_shapes={"feats": sizes})
    feats = torch.from_numpy(rng.standard_normal((3, 47, 80))).float()
    torch.testing.assert_close(exported.module()(feats), network(feats))


FRAME_NETWORKS = {
    "senet9": {"feat_dim": 24, "embedding_dim": 6},
    "resnet18": {"feat_dim": 24, "embedding_dim": 6, "pooling": "tap", "channels": 4},
    "lcnn_lstm": {"feat_dim": 32, "embedding_dim": 6, "channels": 4},
}


@pytest.mark.parametrize("name", FRAME_NETWORKS)
def test_the_mean_of_embedded_frames_is_the_utterance(name, shake, rng):
    """So a loss that knows utterances knows frames; padding does not matter."""
    network = shake(build(name, **FRAME_NETWORKS[name])).double().eval()
    lengths = torch.tensor([70, 40, 64])
    feats = torch.from_numpy(rng.standard_normal((3, 70, network.feat_dim)))
    with torch.inference_mode():
        whole = network(feats, lengths)
        frames, numbers = network.embed_frames(feats, lengths)
    assert frames.shape[2] == network.embedding_dim
    whole_strides = lengths // network.frame_stride
    assert ((numbers == whole_strides) | (numbers == whole_strides + 1)).all()
    for utt, parts, number in zip(whole, frames, numbers, strict=True):
        torch.testing.assert_close(parts[:number].mean(dim=0), utt)


def test_networks_that_cannot_embed_frames_say_so():
    with pytest.raises(AsdkitError, match="frames have no standard deviation"):
        build("resnet18", channels=2, feat_dim=16).embed_frames(torch.zeros(1, 16, 16))
    with pytest.raises(AsdkitError, match="XVector does not embed single frames"):
        build("xvector", feat_dim=16).embed_frames(torch.zeros(1, 40, 16))
