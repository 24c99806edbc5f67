"""Costs against published figures and against a count by hand."""

import itertools

import pytest
import torch
from torch import nn

from asdkit.nnet import complexity
from asdkit.nnet.complexity import (
    complexity_table,
    num_macs,
    num_parameters,
    real_time_factor,
)
from asdkit.nnet.registry import build
from asdkit.nnet.xvector import XVector


@pytest.mark.parametrize(
    ("name", "num_frames", "published"),
    [
        ("resnet34", 200, 4.528),
        ("xvector", 200, 0.530),
        ("resnet_se34", 401, 4.585),
        ("resnet_se34_fast", 401, 0.888),
        ("senet9", 600, 0.558),
        ("senet18", 600, 1.075),
        ("senet34", 600, 2.117),
        ("senet50", 600, 1.720),
        ("ecanet9", 600, 0.558),
        ("ecanet18", 600, 1.075),
        ("ecanet34", 600, 2.117),
        ("ecanet50", 600, 1.720),
    ],
)
def test_macs_are_the_published_ones(name, num_frames, published):
    giga_macs = num_macs(build(name), num_frames) / 1e9
    assert round(giga_macs, 3) == published


def test_campplus_saves_what_is_the_same_for_a_whole_segment():
    """The published 1.126 G compute every layer's mask for each of its 100 frames."""
    layers = 12 + 24 + 16
    mask = 128 * 64 + 64 * 32
    saved = layers * mask * (100 - 1)
    assert round((num_macs(build("campplus")) + saved) / 1e9, 3) == 1.126


@pytest.mark.parametrize(
    ("name", "published"), [("ecapa_tdnn", 1.04), ("ecapa_tdnn_1024", 2.65)]
)
def test_ecapa_saves_what_is_the_same_for_a_whole_utterance(name, published):
    """The published counts multiply mean and deviation with W for each frame."""
    saved = 2 * 1536 * 128 * (200 - 1)
    assert round((num_macs(build(name)) + saved) / 1e9, 2) == published


def count_by_hooks(network, num_frames):
    """Multiplications of all convolutions and linear layers, from their shapes."""
    macs = 0

    def add(module, inputs, output):
        nonlocal macs
        macs += output.numel() * module.weight[0].numel()

    layers = (nn.Conv1d, nn.Conv2d, nn.Linear)
    for module in network.modules():
        if isinstance(module, layers):
            module.register_forward_hook(add)
    with torch.inference_mode():
        network.eval()(torch.ones(1, num_frames, network.feat_dim))
    return macs


@pytest.mark.parametrize("name", ["resnet18", "ecanet50", "resnet_se34", "campplus"])
def test_macs_equal_a_count_by_hand(name):
    assert num_macs(build(name), 23) == count_by_hooks(build(name), 23)


def test_macs_of_filters_and_recurrent_layers_equal_a_count_by_hand():
    """A GRU has three gates, an LSTM four in each of two directions."""
    network, num_samples = build("rawnet2"), 9000
    filters = 20 * 1025 * (num_samples - 1024)
    num_frames = (num_samples - 1024) // 3**7
    gates = 3 * 1024 * ((128 + 1024) + 2 * (1024 + 1024)) * num_frames
    expected = count_by_hooks(build("rawnet2"), num_samples) + filters + gates
    assert num_macs(network, num_samples) == expected

    network, num_frames = build("lcnn_lstm"), 100
    gates = 2 * (2 * 4 * 48 * (96 + 48)) * (num_frames // 16)
    expected = count_by_hooks(build("lcnn_lstm"), num_frames) + gates
    assert num_macs(network, num_frames) == expected


def test_macs_of_graphs_equal_a_count_by_hand():
    """The linear layers see every pair; every node is a weighted sum of the others."""
    network, num_samples = build("aasist"), 12_000
    filters = 70 * 129 * (num_samples - 128)
    spectral, temporal = 23, (num_samples - 128) // 3**7
    sums = 64 * (spectral**2 + temporal**2)
    spectral, temporal = int(0.5 * spectral), int(0.7 * temporal)
    for dim in (64, 32):
        nodes = spectral + temporal
        sums += 2 * dim * (nodes**2 + nodes)  # two ways, each with a master
        spectral, temporal = spectral // 2, max(temporal // 2, 1)
    expected = count_by_hooks(build("aasist"), num_samples) + filters + sums
    assert num_macs(network, num_samples) == expected


def test_the_student_of_paper_0_has_its_published_share_of_the_teacher():
    teacher, student = build("resnet_se34"), build("resnet_se34_fast")
    table = str(
        complexity_table({"teacher": teacher, "student": student}, 200, "teacher")
    )
    header, first, second, shares, machine = table.splitlines()
    assert first.split()[:5] == ["teacher", "200", "x", "40", "512"]
    assert "6,389,324" in first
    assert "1,437,078  0.440 G" in second
    assert shares.split()[:6] == ["of", "teacher", "22.5", "%", "19.4", "%"]
    assert len(header) == len(first) == len(second) == len(shares)
    assert f"threads: {torch.get_num_threads()}" in machine


def test_counting_and_timing_leave_the_network_as_it_was():
    network = XVector(channels=8, last_channels=8)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert num_macs(network) > 0
    assert real_time_factor(network, num_frames=20, num_repeats=2) > 0
    assert network.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_samples_are_shorter_than_frames(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(complexity.time, "perf_counter", lambda: float(next(ticks)))
    options = {"num_filters": 4, "filter_size": 17, "channels": 4, "gru_dim": 4}
    assert real_time_factor(build("rawnet2", **options), 16_000) == 1
    assert real_time_factor(XVector(channels=8, last_channels=8), 100) == 1


def test_parameters_are_what_is_learned():
    """Running means are not."""
    assert num_parameters(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))) == 8 + 4
