"""Residual blocks against their definitions, layer by layer."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from asdkit.nnet.attention import SqueezeExcitation
from asdkit.nnet.residual import BasicBlock, Bottleneck, Pointwise, Stages, init_he


def normalize(x, norm):
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)


@pytest.fixture
def x(rng):
    return torch.from_numpy(rng.standard_normal((2, 4, 9, 11))).float()


@pytest.mark.parametrize("norm_last", [False, True])
def test_basic_block_equals_its_definition(x, shake, norm_last):
    gate = SqueezeExcitation(6, 2)
    block = shake(BasicBlock(4, 6, (2, 2), gate, norm_last))
    y, lengths = block(x, None)

    conv = block.first[0]
    h = F.conv2d(x, conv.weight, stride=2, padding=1)
    norm = block.first[2 if norm_last else 1]
    h = normalize(h.relu(), norm) if norm_last else normalize(h, norm).relu()
    h = normalize(F.conv2d(h, block.second[0].weight, padding=1), block.second[1])
    h = gate(h, None)
    shortcut = F.conv2d(x, block.shortcut[0].weight, stride=2)
    expected = (h + normalize(shortcut, block.shortcut[1])).relu()
    assert lengths is None
    torch.testing.assert_close(y, expected)


def test_bottleneck_equals_its_definition(x, shake):
    block = shake(Bottleneck(4, 3, (2, 1), expansion=2))
    y, _ = block(x, None)

    h = normalize(F.conv2d(x, block.narrow[0].weight), block.narrow[1]).relu()
    h = F.conv2d(h, block.middle[0].weight, stride=(2, 1), padding=1)
    h = normalize(h, block.middle[1]).relu()
    h = normalize(F.conv2d(h, block.widen[0].weight), block.widen[1])
    shortcut = F.conv2d(x, block.shortcut[0].weight, stride=(2, 1))
    torch.testing.assert_close(y, (h + normalize(shortcut, block.shortcut[1])).relu())
    assert y.shape[1] == block.out_channels == 6


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 1)])
def test_a_pointwise_convolution_is_torch_s_with_its_gradients(x, layout, stride):
    conv = Pointwise(4, 3, 1, stride).to(memory_format=layout)
    x = x.to(memory_format=layout).requires_grad_()
    # In float64, contiguous, torch's own takes no fast way.
    doubled = [
        tensor.detach().double().contiguous() for tensor in (x, *conv.parameters())
    ]
    wanted = F.conv2d(*(tensor.requires_grad_() for tensor in doubled), stride=stride)
    found = conv(x)
    torch.testing.assert_close(found, wanted.float())
    weights = torch.randn_like(wanted)
    for a, b in zip(
        torch.autograd.grad(found, [x, *conv.parameters()], weights.float()),
        torch.autograd.grad(wanted, doubled, weights),
        strict=True,
    ):
        torch.testing.assert_close(a, b.float())


def test_a_block_that_keeps_the_shape_adds_its_input_itself(x):
    block = BasicBlock(4, 4)
    assert isinstance(block.shortcut, nn.Identity)
    nn.init.zeros_(block.second[1].weight)
    torch.testing.assert_close(block.eval()(x, None)[0], x.relu())


def test_stages_yield_every_map_with_its_lengths(x, shake):
    strides = [(1, 1), (2, 2), (2, 2)]
    stages = shake(Stages(BasicBlock, 4, (1, 2, 1), (4, 8, 16), strides))
    maps = list(stages.maps(x, torch.tensor([11, 6])))
    assert [tuple(y.shape) for y, _ in maps] == [
        (2, 4, 9, 11),
        (2, 8, 5, 6),
        (2, 16, 3, 3),
    ]
    assert [lengths.tolist() for _, lengths in maps] == [[11, 6], [6, 3], [3, 2]]
    for y, (_, length) in maps:
        assert y[1, ..., length:].abs().sum() == 0
    assert torch.equal(stages(x, torch.tensor([11, 6]))[0], maps[-1][0])
    assert stages.out_channels == 16


def test_init_he_keeps_the_variance_of_gradients():
    torch.manual_seed(0)
    conv = nn.Conv2d(64, 256, 3)
    init_he(nn.Sequential(conv))
    assert conv.weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01)
