"""ReDimNet2 is what its authors' code computes, here in plain functions."""

import math

import pytest
import torch
import torch.nn.functional as F

from asdkit.nnet.redimnet2 import ReDimNet2

# Strides in frequency and in time, blocks, expansion: of the six stages, B0 and B1.
PUBLISHED = [
    ((1, 1), 2, 2),
    ((2, 1), 3, 1),
    ((1, 2), 4, 1),
    ((2, 1), 5, 1),
    ((1, 2), 4, 1),
    ((2, 1), 3, 1),
]


def batch_norm(x, weights, name, eps=1e-5):
    stats = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    return F.batch_norm(x, *stats, *pair(weights, name), eps=eps)


def channel_norm(x, weights, name):
    mean = x.mean(dim=1, keepdim=True)
    variance = (x - mean).square().mean(dim=1, keepdim=True)
    scale, shift = (
        p.reshape(1, -1, *[1] * (x.dim() - 2)) for p in pair(weights, f"{name}.norm")
    )
    return scale * (x - mean) / (variance + 1e-6).sqrt() + shift


def pair(weights, name):
    return weights[f"{name}.weight"], weights.get(f"{name}.bias")


def frame_layer(x, weights, name):
    """A linear layer of every frame of (1, C, T)."""
    return F.conv1d(x, weights[f"{name}.weight"][..., None], weights[f"{name}.bias"])


def block(x, weights, name):
    y = x
    for part in ("first", "second"):
        y = F.conv2d(
            y, weights[f"{name}.{part}.0.weight"], padding=1, groups=y.shape[1]
        )
        y = F.conv2d(y, *pair(weights, f"{name}.{part}.1"))
        if part == "first":
            y = y.relu()
        y = batch_norm(y, weights, f"{name}.{part}_norm")
    return (x + y).relu()


def attend(x, weights, name, num_heads=4):
    q, k, v = (
        frame_layer(x, weights, f"{name}.{part}")[0]
        for part in ("query", "key", "value")
    )  # (C, T)
    heads = []
    for rows in torch.arange(len(q)).chunk(num_heads):
        scores = (q[rows].T @ k[rows]) / math.sqrt(len(rows))  # (T, T)
        heads.append((scores.softmax(dim=1) @ v[rows].T).T)
    mixed = frame_layer(torch.cat(heads)[None], weights, f"{name}.output")
    size = (x.shape[1],)
    x = F.layer_norm(
        (x + mixed).mT, size, *pair(weights, f"{name}.attention_norm"), 1e-6
    )
    hidden = F.linear(x, *pair(weights, f"{name}.layers.0"))
    cubic = math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden**3)
    y = F.linear(0.5 * hidden * (1 + cubic.tanh()), *pair(weights, f"{name}.layers.2"))
    return F.layer_norm(x + y, size, *pair(weights, f"{name}.norm"), 1e-6).mT


def look_over_time(x, weights, name):
    y = F.conv1d(x, *pair(weights, f"{name}.narrow.0"))
    y = channel_norm(y, weights, f"{name}.narrow.1")
    for number, kernel in enumerate((7, 19, 31, 59)):
        part = f"{name}.local.{number}"
        z = F.conv1d(
            y,
            *pair(weights, f"{part}.depthwise"),
            padding=kernel // 2,
            groups=len(y[0]),
        )
        z = F.gelu(batch_norm(z, weights, f"{part}.norm"))
        y = y + F.conv1d(z, *pair(weights, f"{part}.pointwise"))
    y = attend(y, weights, f"{name}.attention")
    return x + F.conv1d(y, *pair(weights, f"{name}.widen"))


def add(maps, weights, name):
    if len(maps) == 1:
        return maps[0]
    shares = weights[f"{name}.weights"].softmax(dim=0)
    return sum(share * x for share, x in zip(shares, maps, strict=True))


def reference(network, feats):
    """(T, D) of one utterance -> (E,)."""
    weights = network.state_dict()
    x = feats[: len(feats) // 4 * 4].T[None, None]  # (1, 1, D, T)
    bins = x.shape[2]
    x = F.conv2d(x, *pair(weights, "stem"), padding=1)
    x = channel_norm(x, weights, "stem_norm")
    channels = x.shape[1]
    maps = [x.permute(0, 2, 1, 3).reshape(1, channels * bins, -1)]
    time_stride = 1
    for number, ((freq, time), num_blocks, expansion) in enumerate(PUBLISHED):
        name, time_stride = f"stages.{number}", time_stride * time
        x = add(maps, weights, f"sums.{number}")
        x = x.reshape(1, bins, channels, -1).permute(0, 2, 1, 3)
        strides = freq, time_stride
        x = F.conv2d(x, *pair(weights, f"{name}.stride"), strides, groups=channels)
        channels, bins = channels * freq, bins // freq
        for place in range(num_blocks):
            x = block(x, weights, f"{name}.blocks.{place}")
        if expansion > 1:
            x = F.conv2d(x, *pair(weights, f"{name}.narrow.0"))
            x = batch_norm(x, weights, f"{name}.narrow.1", 1e-6)
        x = x.permute(0, 2, 1, 3).reshape(1, channels * bins, -1)
        x = look_over_time(x, weights, f"{name}.context")
        maps.append(F.interpolate(x, scale_factor=time_stride, mode="nearest"))
    x = add(maps, weights, "sums.6")
    x = x.reshape(1, bins, channels, -1).permute(0, 2, 1, 3)
    if "head.weight" in weights:
        x = F.conv2d(x, *pair(weights, "head"))
    return network.output(network.pool(x.reshape(1, x.shape[1] * bins, -1), None))[0]


@pytest.mark.parametrize(("head_channels", "num_frames"), [(3, 24), (0, 75)])
def test_it_is_what_the_authors_publish(head_channels, num_frames):
    torch.manual_seed(0)
    reductions = (4, 4, 2, 4, 2, 2)
    network = ReDimNet2(reductions, head_channels, channels=2, feat_dim=16).double()
    for name, x in [*network.named_parameters(), *network.named_buffers()]:
        if x.is_floating_point():  # none that is 0 or 1, as they are in the beginning
            with torch.no_grad():
                x.uniform_(0.5, 1.5) if "var" in name else x.add_(
                    0.2 * torch.randn_like(x)
                )
    network.eval()
    feats = torch.randn(num_frames, 16, dtype=torch.float64)
    with torch.no_grad():
        expected = reference(network, feats)
        torch.testing.assert_close(network(feats[None])[0], expected)
        spoiled = torch.cat([feats, 9 * torch.ones(10, 16)])[None]
        padded = network(spoiled, torch.tensor([num_frames]))[0]
        torch.testing.assert_close(padded, expected)


def test_bins_are_filled_up_to_what_the_stages_halve():
    network = ReDimNet2((2,) * 6, channels=2, feat_dim=17, embedding_dim=4).eval()
    wider = ReDimNet2((2,) * 6, channels=2, feat_dim=24, embedding_dim=4).eval()
    wider.load_state_dict(network.state_dict())
    feats = torch.randn(1, 8, 17)
    with torch.no_grad():
        torch.testing.assert_close(network(feats), wider(F.pad(feats, (0, 7))))
