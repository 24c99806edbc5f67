"""Published networks by their definitions, on their own names of tensors.

Each is written from the published layers with functions of torch alone; checkpoints are
small ones with random weights.
"""

from functools import partial
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F


class State(dict):
    """Random tensors, by name, and the layers that they are of."""

    def __init__(self, seed):
        super().__init__()
        self.rng = torch.Generator().manual_seed(seed)

    def draw(self, *shape):
        return torch.randn(shape, generator=self.rng)

    def conv(self, name, out, into, *kernel, bias=False):
        fan_in = into * torch.Size(kernel).numel()
        self[f"{name}.weight"] = self.draw(out, into, *kernel) / fan_in**0.5
        if bias:
            self[f"{name}.bias"] = 0.1 * self.draw(out)

    def norm(self, name, channels, affine=True):
        if affine:
            self[f"{name}.weight"] = 1 + 0.2 * self.draw(channels)
            self[f"{name}.bias"] = 0.2 * self.draw(channels)
        self[f"{name}.running_mean"] = 0.2 * self.draw(channels)
        self[f"{name}.running_var"] = 0.5 + self.draw(channels).square()
        self[f"{name}.num_batches_tracked"] = torch.tensor(7)

    # What a layer of these tensors does.

    def apply_norm(self, name, x):
        moments = self[f"{name}.running_mean"], self[f"{name}.running_var"]
        affine = self.get(f"{name}.weight"), self.get(f"{name}.bias")
        return F.batch_norm(x, *moments, *affine)

    def linear(self, name, x):
        return F.linear(x, self[f"{name}.weight"], self.get(f"{name}.bias"))

    def conv1d(self, name, x, **options):
        return F.conv1d(x, self[f"{name}.weight"], self.get(f"{name}.bias"), **options)

    def conv2d(self, name, x, **options):
        return F.conv2d(x, self[f"{name}.weight"], **options)

    def block(self, name, x, stride):
        """A residual block of two or three convolutions, on (1, C, D, T)."""
        if f"{name}.conv3.weight" in self:
            kernels = ((1, 0, 1), (3, 1, stride), (1, 0, 1))
        else:
            kernels = ((3, 1, stride), (3, 1, 1))
        y = x
        for i, (_, padding, by) in enumerate(kernels, start=1):
            y = F.relu(y) if i > 1 else y
            y = self.conv2d(f"{name}.conv{i}", y, padding=padding, stride=by)
            y = self.apply_norm(f"{name}.bn{i}", y)
        if f"{name}.shortcut.0.weight" in self:
            x = self.conv2d(f"{name}.shortcut.0", x, stride=stride)
            x = self.apply_norm(f"{name}.shortcut.1", x)
        return F.relu(y + x)

    def add_block(self, name, into, channels, strided, bottleneck=False):
        out = 4 * channels if bottleneck else channels
        sizes = [(channels, into, 3, 3), (channels, channels, 3, 3)]
        if bottleneck:
            sizes = [(channels, into, 1, 1), (channels, channels, 3, 3)]
            sizes += [(out, channels, 1, 1)]
        for i, shape in enumerate(sizes, start=1):
            self.conv(f"{name}.conv{i}", *shape)
            self.norm(f"{name}.bn{i}", shape[0])
        if strided or into != out:
            self.conv(f"{name}.shortcut.0", out, into, 1, 1)
            self.norm(f"{name}.shortcut.1", out)
        return out


DEPTHS, CHANNELS, BINS, DIM = (2, 1, 2, 1), 4, 16, 6


def new_resnet(bottleneck=False, two_layers=False, depths=DEPTHS):
    state = State(1)
    state.conv("conv1", CHANNELS, 1, 3, 3)
    state.norm("bn1", CHANNELS)
    width = CHANNELS
    for stage, depth in enumerate(depths):
        for block in range(depth):
            channels, strided = CHANNELS * 2**stage, stage > 0 and block == 0
            name = f"layer{stage + 1}.{block}"
            width = state.add_block(name, width, channels, strided, bottleneck)
    state.conv("seg_1", DIM, 2 * width * BINS // 8, bias=True)
    if two_layers:
        state.norm("seg_bn_1", DIM, affine=False)
        state.conv("seg_2", DIM, DIM, bias=True)
    return state


def resnet(state, feats):
    """(T, D) -> (E,)."""
    x = F.relu(
        state.apply_norm("bn1", state.conv2d("conv1", feats.T[None, None], padding=1))
    )
    for stage in range(1, 5):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in state:
            by = 2 if stage > 1 and block == 0 else 1
            x = state.block(f"layer{stage}.{block}", x, by)
            block += 1
    std = torch.sqrt(x.var(dim=-1) + 1e-8)
    x = torch.cat([x.mean(dim=-1).flatten(1), std.flatten(1)], dim=1)
    x = state.linear("seg_1", x)
    if "seg_2.weight" in state:
        x = state.linear("seg_2", state.apply_norm("seg_bn_1", F.relu(x)))
    return x[0]


LAYERS = ((12, 1), (24, 2), (16, 2))  # of CAM++'s blocks: how many, and their dilation


def new_campplus():
    state, growth, hidden, width = State(2), 4, 6, 8
    state.conv("head.conv1", CHANNELS, 1, 3, 3)
    state.norm("head.bn1", CHANNELS)
    for stage in (1, 2):
        for block in range(2):
            name = f"head.layer{stage}.{block}"
            state.add_block(name, CHANNELS, CHANNELS, block == 0)
    state.conv("head.conv2", CHANNELS, CHANNELS, 3, 3)
    state.norm("head.bn2", CHANNELS)
    state.conv("xvector.tdnn.linear", width, CHANNELS * BINS // 8, 5)
    state.norm("xvector.tdnn.nonlinear.batchnorm", width)
    for number, (depth, _) in enumerate(LAYERS, start=1):
        for layer in range(1, depth + 1):
            name = f"xvector.block{number}.tdnnd{layer}"
            state.norm(f"{name}.nonlinear1.batchnorm", width)
            state.conv(f"{name}.linear1", hidden, width, 1)
            state.norm(f"{name}.nonlinear2.batchnorm", hidden)
            cam = f"{name}.cam_layer"
            state.conv(f"{cam}.linear_local", growth, hidden, 3)
            state.conv(f"{cam}.linear1", hidden // 2, hidden, 1, bias=True)
            state.conv(f"{cam}.linear2", growth, hidden // 2, 1, bias=True)
            width += growth
        state.norm(f"xvector.transit{number}.nonlinear.batchnorm", width)
        state.conv(f"xvector.transit{number}.linear", width // 2, width, 1)
        width //= 2
    state.norm("xvector.out_nonlinear.batchnorm", width)
    state.conv("xvector.dense.linear", DIM, 2 * width, 1)
    state.norm("xvector.dense.nonlinear.batchnorm", DIM, affine=False)
    return state


def campplus(state, feats, floor=1e-8):
    """(T, D) -> (E,)."""

    def norm_relu(name, x):
        return F.relu(state.apply_norm(f"{name}.batchnorm", x))

    x = state.conv2d("head.conv1", feats.T[None, None], padding=1)
    x = F.relu(state.apply_norm("head.bn1", x))
    for stage in (1, 2):
        for block in range(2):
            by = (2, 1) if block == 0 else 1
            x = state.block(f"head.layer{stage}.{block}", x, by)
    x = state.conv2d("head.conv2", x, padding=1, stride=(2, 1))
    x = F.relu(state.apply_norm("head.bn2", x)).flatten(1, 2)
    x = state.conv1d("xvector.tdnn.linear", x, stride=2, padding=2)
    x = norm_relu("xvector.tdnn.nonlinear", x)
    for number, (depth, dilation) in enumerate(LAYERS, start=1):
        for layer in range(1, depth + 1):
            name = f"xvector.block{number}.tdnnd{layer}"
            h = state.conv1d(f"{name}.linear1", norm_relu(f"{name}.nonlinear1", x))
            h = norm_relu(f"{name}.nonlinear2", h)
            cam = f"{name}.cam_layer"
            padded = {"padding": dilation, "dilation": dilation}
            y = state.conv1d(f"{cam}.linear_local", h, **padded)
            means = F.avg_pool1d(h, 100, 100, ceil_mode=True).repeat_interleave(100, 2)
            context = h.mean(dim=2, keepdim=True) + means[..., : h.shape[2]]
            mask = F.relu(state.conv1d(f"{cam}.linear1", context))
            mask = torch.sigmoid(state.conv1d(f"{cam}.linear2", mask))
            x = torch.cat([x, y * mask], dim=1)
        transit = f"xvector.transit{number}"
        x = norm_relu(f"{transit}.nonlinear", x)
        x = state.conv1d(f"{transit}.linear", x)
    x = norm_relu("xvector.out_nonlinear", x)
    std = torch.sqrt(x.var(dim=2) + floor)
    x = torch.cat([x.mean(dim=2), std], dim=1)[..., None]
    x = state.conv1d("xvector.dense.linear", x)[..., 0]
    return state.apply_norm("xvector.dense.nonlinear.batchnorm", x)[0]


def new_ecapa(context=True):
    state, width, pooled = State(3), 16, 24
    state.conv("layer1.conv", width, BINS, 5, bias=True)
    state.norm("layer1.bn", width)
    for number in (2, 3, 4):
        name = f"layer{number}.se_res2block"
        for part in (0, 2):
            state.conv(f"{name}.{part}.conv", width, width, 1, bias=True)
            state.norm(f"{name}.{part}.bn", width)
        for group in range(7):
            state.conv(f"{name}.1.convs.{group}", width // 8, width // 8, 3, bias=True)
            state.norm(f"{name}.1.bns.{group}", width // 8)
        state.conv(f"{name}.3.linear1", 128, width, bias=True)
        state.conv(f"{name}.3.linear2", width, 128, bias=True)
    state.conv("conv", pooled, 3 * width, 1, bias=True)
    state.conv("pool.linear1", 128, (3 if context else 1) * pooled, 1, bias=True)
    state.conv("pool.linear2", pooled, 128, 1, bias=True)
    state.norm("bn", 2 * pooled)
    state.conv("linear", DIM, 2 * pooled, bias=True)
    return state


def ecapa(state, feats):
    """(T, D) -> (E,)."""

    def layer(name, x, norm, **options):
        return state.apply_norm(norm, F.relu(state.conv1d(name, x, **options)))

    x = layer("layer1.conv", feats.T[None], "layer1.bn", padding=2)
    outputs = []
    for number in (2, 3, 4):
        name = f"layer{number}.se_res2block"
        groups = layer(f"{name}.0.conv", x, f"{name}.0.bn").chunk(8, dim=1)
        done, last = [], 0
        for i in range(7):
            conv, norm = f"{name}.1.convs.{i}", f"{name}.1.bns.{i}"
            last = layer(conv, groups[i] + last, norm, padding=number, dilation=number)
            done.append(last)
        y = torch.cat([*done, groups[7]], dim=1)
        y = layer(f"{name}.2.conv", y, f"{name}.2.bn")
        gate = F.relu(state.linear(f"{name}.3.linear1", y.mean(dim=2)))
        gate = torch.sigmoid(state.linear(f"{name}.3.linear2", gate))
        x = x + y * gate[..., None]
        outputs.append(x)
    x = F.relu(state.conv1d("conv", torch.cat(outputs, dim=1)))
    seen = x
    if state["pool.linear1.weight"].shape[1] > x.shape[1]:
        mean = x.mean(dim=2, keepdim=True).expand_as(x)
        std = torch.sqrt(x.var(dim=2, keepdim=True) + 1e-10).expand_as(x)
        seen = torch.cat([x, mean, std], dim=1)
    weights = state.conv1d("pool.linear2", state.conv1d("pool.linear1", seen).tanh())
    weights = weights.softmax(dim=2)
    mean = (weights * x).sum(dim=2)
    variance = (weights * x**2).sum(dim=2) - mean**2
    x = torch.cat([mean, variance.clamp(min=1e-10).sqrt()], dim=1)
    return state.linear("linear", state.apply_norm("bn", x))[0]


def new_speechbrain():
    state, width, pooled = State(4), 16, 24

    def tdnn(name, out, into, kernel=1):
        state.conv(f"{name}.conv.conv", out, into, kernel, bias=True)
        state.norm(f"{name}.norm.norm", out)

    tdnn("blocks.0", width, BINS, 5)
    for number in (1, 2, 3):
        name = f"blocks.{number}"
        tdnn(f"{name}.tdnn1", width, width)
        tdnn(f"{name}.tdnn2", width, width)
        for group in range(7):
            tdnn(f"{name}.res2net_block.blocks.{group}", width // 8, width // 8, 3)
        state.conv(f"{name}.se_block.conv1.conv", 128, width, 1, bias=True)
        state.conv(f"{name}.se_block.conv2.conv", width, 128, 1, bias=True)
    tdnn("mfa", pooled, 3 * width)
    tdnn("asp.tdnn", 128, 3 * pooled)
    state.conv("asp.conv.conv", pooled, 128, 1, bias=True)
    state.norm("asp_bn.norm", 2 * pooled)
    state.conv("fc.conv", DIM, 2 * pooled, 1, bias=True)
    return state


def speechbrain(state, feats):
    """(T, D) -> (E,)."""

    def tdnn(name, x, margin=0, dilation=1):
        x = F.pad(x, (margin, margin), mode="reflect") if margin else x
        x = state.conv1d(f"{name}.conv.conv", x, dilation=dilation)
        return state.apply_norm(f"{name}.norm.norm", F.relu(x))

    x = tdnn("blocks.0", feats.T[None], 2)
    outputs = []
    for number, dilation in ((1, 2), (2, 3), (3, 4)):
        name = f"blocks.{number}"
        groups = tdnn(f"{name}.tdnn1", x).chunk(8, dim=1)
        done, last = [groups[0]], 0
        for i in range(1, 8):
            inner = f"{name}.res2net_block.blocks.{i - 1}"
            last = tdnn(inner, groups[i] + last, dilation, dilation)
            done.append(last)
        y = tdnn(f"{name}.tdnn2", torch.cat(done, dim=1))
        gate = y.mean(dim=2, keepdim=True)
        gate = F.relu(state.conv1d(f"{name}.se_block.conv1.conv", gate))
        gate = torch.sigmoid(state.conv1d(f"{name}.se_block.conv2.conv", gate))
        x = x + y * gate
        outputs.append(x)
    x = tdnn("mfa", torch.cat(outputs, dim=1))
    mean = x.mean(dim=2, keepdim=True)
    std = (x - mean).square().mean(dim=2, keepdim=True).clamp(1e-12).sqrt()
    seen = torch.cat([x, mean.expand_as(x), std.expand_as(x)], dim=1)
    weights = state.conv1d("asp.conv.conv", tdnn("asp.tdnn", seen).tanh()).softmax(2)
    mean = (weights * x).sum(dim=2, keepdim=True)
    std = (weights * (x - mean).square()).sum(dim=2, keepdim=True).clamp(1e-12).sqrt()
    x = state.apply_norm("asp_bn.norm", torch.cat([mean, std], dim=1))
    return state.conv1d("fc.conv", x)[0, :, 0]


class Published(NamedTuple):
    """Whose, how to draw a checkpoint, and what it computes of (T, D) features."""

    source: str
    new: partial
    forward: partial


CASES = {
    "resnet": ("wespeaker", partial(new_resnet), resnet),
    "resnet34": ("wespeaker", partial(new_resnet, depths=(3, 4, 6, 3)), resnet),
    "bottleneck": ("3dspeaker", partial(new_resnet, bottleneck=True), resnet),
    "two_layers": ("wespeaker", partial(new_resnet, two_layers=True), resnet),
    "campplus": ("wespeaker", new_campplus, campplus),
    "campplus_of_3dspeaker": ("3dspeaker", new_campplus, partial(campplus, floor=0)),
    "ecapa": ("wespeaker", partial(new_ecapa, context=False), ecapa),
    "ecapa_with_context": ("wespeaker", new_ecapa, ecapa),
    "ecapa_of_3dspeaker": ("3dspeaker", new_speechbrain, speechbrain),
}


@pytest.fixture(params=CASES)
def published(request):
    """Each network in turn."""
    return Published(*CASES[request.param])


@pytest.fixture
def published_called():
    """One by its name."""
    return lambda name: Published(*CASES[name])
