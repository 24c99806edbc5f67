import pytest
import torch

from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.nnet.ssl import SslEcapa, SslEncoder, SslMeans, instance_norm

TINY = {
    "extractor_conv_layer_config": [[8, 10, 5], [8, 3, 2], [8, 2, 2]],
    "extractor_conv_bias": False,
    "encoder_embed_dim": 16,
    "encoder_projection_dropout": 0.1,
    "encoder_pos_conv_kernel": 8,
    "encoder_pos_conv_groups": 2,
    "encoder_num_layers": 3,
    "encoder_num_heads": 2,
    "encoder_attention_dropout": 0.1,
    "encoder_ff_interm_features": 24,
    "encoder_ff_interm_dropout": 0.1,
    "encoder_dropout": 0.1,
    "encoder_layer_drop": 0.1,
    "aux_num_out": None,
}
WAVLM = {"encoder_num_buckets": 16, "encoder_max_distance": 40}
KINDS = {
    "base": ("wav2vec2_model", {}, "group_norm", False),
    "large": ("wav2vec2_model", {}, "layer_norm", True),
    "wavlm_base": ("wavlm_model", WAVLM, "group_norm", False),
    "wavlm_large": ("wavlm_model", WAVLM, "layer_norm", True),
}


@pytest.fixture(params=KINDS)
def encoder(request, torchaudio):
    """The name of a function of torchaudio's, and options of a tiny model."""
    name, more, mode, norm_first = KINDS[request.param]
    modes = {"extractor_mode": mode, "encoder_layer_norm_first": norm_first}
    return name, TINY | more | modes


def small(encoder, **options):
    torch.manual_seed(0)
    sizes = {"channels": 16, "pooled_channels": 24, "embedding_dim": 5}
    return SslEcapa(*encoder, **sizes, **options)


def test_layers_are_torchaudio_s_and_what_the_first_of_them_sees(encoder):
    ssl = SslEncoder(*encoder).eval()
    samples = torch.randn(2, 900)
    layers = ssl(samples)
    assert len(layers) == ssl.num_layers == 4
    expected, _ = ssl.model.extract_features(samples)
    for layer, same in zip(layers[1:], expected, strict=True):
        torch.testing.assert_close(layer, same)
    first, _ = ssl.model.encoder.transformer.layers[0](layers[0])
    torch.testing.assert_close(first, layers[1])


def test_an_utterance_is_normalized_if_the_encoder_wants_it(encoder):
    raw, normalizing = (SslEncoder(*encoder, normalize=x) for x in (False, True))
    normalizing.load_state_dict(raw.state_dict())
    samples = torch.randn(2, 900)
    normal = samples - samples.mean(1, keepdim=True)
    normal = normal / normal.square().mean(1, keepdim=True).sqrt()
    torch.testing.assert_close(
        normalizing(7 * samples + 3)[3], raw(normal)[3], rtol=1e-3, atol=1e-4
    )


def test_a_frozen_encoder_stays_as_it_is_and_its_mixture_learns(encoder):
    network = small(encoder).train()
    before = {k: x.clone() for k, x in network.ssl.state_dict().items()}
    assert not network.ssl.model.training
    optimizer = torch.optim.SGD(network.parameters(), 0.1, weight_decay=0.1)
    network(torch.randn(4, 900, 1)).square().sum().backward()
    optimizer.step()
    assert network.mixture.grad.abs().sum() > 0
    for name, value in network.ssl.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_trained_encoder_learns_too(encoder):
    network = small(encoder, ssl_trained=True).train()
    assert network.ssl.model.training
    network(torch.randn(4, 900, 1)).square().sum().backward()
    weight = network.ssl.model.encoder.transformer.layers[0].feed_forward
    assert weight.intermediate_dense.weight.grad.abs().sum() > 0
    assert not network.eval().ssl.model.training


def test_an_utterance_has_the_same_embedding_alone_and_padded(encoder, shake):
    network = shake(small(encoder))
    samples = torch.randn(3, 900, 1)
    lengths = torch.tensor([900, 500, network.min_frames])
    with torch.inference_mode():
        together = network(samples, lengths)
        for one, length, found in zip(samples, lengths, together, strict=True):
            alone = network(one[None, :length])[0]
            torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)


def test_the_shortest_utterance_has_two_frames(encoder):
    network = small(encoder)
    assert network.min_frames == 50
    for length, num_frames in ((50, 2), (49, 1)):
        assert network.ssl(torch.zeros(1, length))[0].shape == (1, num_frames, 16)


def test_the_mixture_starts_as_the_mean(encoder):
    network = small(encoder)
    samples = torch.randn(1, 500)
    expected = torch.stack(network.ssl(samples)).mean(0)
    torch.testing.assert_close(network._mix(samples), expected)


def test_means_are_those_of_the_layers_that_were_asked_for(encoder):
    samples = torch.randn(2, 900)
    torch.manual_seed(0)
    layers = SslEncoder(*encoder)(samples)
    for wanted in (None, (0,), (2, 0, 1), (3,)):
        torch.manual_seed(0)
        network = SslMeans(SslEncoder(*encoder), wanted)
        parts = [layers[n].mean(dim=1) for n in wanted or range(4)]
        found = network(samples[..., None])
        torch.testing.assert_close(found, torch.cat(parts, dim=1))
        assert network.embedding_dim == found.shape[1]
        assert network.ssl.num_layers == 1 + max(wanted or [3])


def test_means_of_padded_utterances_are_those_of_each_alone(encoder):
    network = SslMeans(SslEncoder(*encoder))
    samples, lengths = torch.randn(2, 900, 1), torch.tensor([900, 500])
    alone = [network(one[None, :n]) for one, n in zip(samples, lengths, strict=True)]
    torch.testing.assert_close(network(samples, lengths), torch.cat(alone))


def test_layers_above_the_last_one_cost_nothing(torchaudio):
    """Of wav2vec 2.0, base: the numbers of the paper, and MACs counted by hand."""
    dim, length, macs, channels = 768, 4 * 16000, 0, 1
    for kernel, stride in [(10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2]:
        length = (length - kernel) // stride + 1
        macs += length * 512 * channels * kernel
        channels = 512
    macs += length * 512 * dim  # projection
    macs += (length + 1) * dim * (dim // 16) * 128  # positions: a frame is cut off
    layer = 4 * length * dim**2 + 2 * length**2 * dim + 2 * length * dim * 3072
    for last in (0, 2, 12):
        with torch.device("meta"):
            network = SslMeans(SslEncoder("wav2vec2_base"), [last])
        assert num_parameters(network) == 9_316_480 + last * 7_087_872
        assert num_macs(network, 4 * 16000) == macs + last * layer


@pytest.mark.parametrize("layers", [(4,), (-1,), (1, 1), ()])
def test_layers_that_are_not_there_are_refused(encoder, layers):
    with pytest.raises(ValueError, match=r"distinct layers from 0 to 3, got \("):
        SslMeans(SslEncoder(*encoder), layers)
    with pytest.raises(ValueError, match="expected 1 to 4 layers, got 5"):
        SslEncoder(*encoder).drop_layers(5)


def test_instance_norm_is_torch_s_on_real_frames():
    x = torch.randn(2, 3, 10)
    expected = torch.nn.InstanceNorm1d(3)(x)
    torch.testing.assert_close(instance_norm(x, None), expected)
    x[1, :, 6:] = 0
    found = instance_norm(x, torch.tensor([10, 6]))
    torch.testing.assert_close(found[0], expected[0])
    torch.testing.assert_close(
        found[1:, :, :6], torch.nn.InstanceNorm1d(3)(x[1:, :, :6])
    )
    assert not found[1, :, 6:].any()


def test_unknown_encoders_are_named():
    with pytest.raises(ValueError, match=r"one of wavlm_base, .*; got 'wavlm_huge'"):
        SslEncoder("wavlm_huge")
