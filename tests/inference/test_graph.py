"""Graphs of all networks, run by ONNX Runtime, against the training path."""

import numpy as np
import pytest

import asdkit
from asdkit.base.errors import AsdkitError
from asdkit.features.constant_q import Cqcc
from asdkit.inference.graph import graph_of
from asdkit.inference.onnx_file import to_onnx
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.parity import compare
from asdkit.models.networks import load_network, save_network
from asdkit.nnet.registry import MODELS
from asdkit.segmentation.segments import FrameTimes

# One of each class, gate and kind of block: others differ in the number of blocks.
LONGER = ["resnet34", "resnet221", "senet18", "senet34", "ecanet18", "ecanet34"]
NAMES = [x for x in MODELS if not x.startswith(("ssl", "kaldi")) and x not in LONGER]


AS_PUBLISHED = {  # what imported networks have that ours do not
    "resnet18": {"unbiased": True, "variance_floor": 1e-8, "two_layers": True},
    "ecapa_tdnn": {"mirrored": True, "block_input": "previous"},
    "ecapa_tdnn_1024": {"unbiased": True, "variance_floor": 1e-10},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"), [*((x, {}) for x in NAMES), *AS_PUBLISHED.items()]
)
def test_every_network_has_a_graph_that_treats_a_batch_as_single_recordings(
    untrained, rng, name, options
):
    model = untrained(name, network=options)
    graph = graph_of(model, "waveform")
    onnx = OnnxModel(to_onnx(graph, 24000))
    lengths = [onnx.min_samples, 7000, 16000, 40001]
    signals = [rng.normal(0, 0.1, max(n, 400)).astype(np.float32) for n in lengths]
    expected = model.embed_many([(x, 16000) for x in signals])
    together, _ = onnx.run(signals)
    for x, row, wanted in zip(signals, together, expected, strict=True):
        alone, _ = onnx.run([x])
        scale = np.abs(wanted).max() + 1e-3
        np.testing.assert_allclose(alone[0], wanted, atol=1e-3 * scale)
        np.testing.assert_allclose(row, wanted, atol=1e-3 * scale)


@pytest.mark.slow
def test_a_graph_need_not_be_told_lengths(untrained, rng):
    model = untrained("xvector")
    onnx = OnnxModel(to_onnx(graph_of(model, "waveform"), 24000))
    x = rng.normal(0, 0.1, (2, 9000)).astype(np.float32)
    by_default, _ = onnx.session.run(None, {"samples": x})
    np.testing.assert_array_equal(by_default, onnx.run(list(x))[0])


def test_the_shortest_recording_is_stated_and_less_refused(untrained):
    model = untrained("xvector")
    onnx = OnnxModel(to_onnx(graph_of(model, "waveform"), 24000))
    assert onnx.min_samples == 400 + 14 * 160
    with pytest.raises(AsdkitError, match=r"at least 2640 samples \(0.165 s\), got 9"):
        onnx.run([np.zeros(9, np.float32)])


def test_a_graph_of_features_subtracts_their_mean_itself(untrained, rng):
    model = untrained("xvector")
    onnx = OnnxModel(to_onnx(graph_of(model, "feats"), 100))
    x = rng.normal(0, 0.1, 9000).astype(np.float32)
    feats = model.front_end.extractor(x)
    found = onnx.run_features(feats[None] + 3.0)
    np.testing.assert_allclose(found[0], model.embed((x, 16000)), atol=1e-4)
    with pytest.raises(AsdkitError, match="expected 15 frames or more, got 14"):
        onnx.run_features(feats[None, :14])


def test_features_without_a_graph_are_named(untrained):
    with pytest.raises(AsdkitError, match="features cqcc have no graph"):
        graph_of(untrained("lcnn", Cqcc()), "waveform")
    with pytest.raises(AsdkitError, match="there is no form feats"):
        graph_of(untrained("rawnet2"), "feats")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lcnn_lstm", "resnet18", "senet9"])
def test_a_localizer_scores_frames_in_its_graph(write_untrained, tmp_path, rng, name):
    """As `embed_frames` does in training, alone and in a batch."""
    crop = {"crop": "whole", "chunk_frames": 100, "batch_size": 4}
    pooling = {} if name == "senet9" else {"pooling": "tap"}
    write_untrained(
        tmp_path, name, classes=("spoof", "bonafide"), network=pooling, **crop
    )
    trained = load_network(tmp_path / "network.pt")
    trained.options["objective"] = {"name": "frame_labels"}
    save_network(tmp_path / "network.pt", trained)
    model = asdkit.load(tmp_path)
    onnx = OnnxModel(to_onnx(graph_of(model, "waveform"), 24000))
    stride = trained.network.frame_stride
    assert onnx.frame_times == FrameTimes(pytest.approx(0.01 * stride), 0.0075)
    x = rng.normal(0, 0.1, 20000).astype(np.float32)
    score, frames = onnx.run_frames(x)
    assert score == pytest.approx(float(model.detect((x, 16000))), abs=1e-4)
    np.testing.assert_allclose(frames, model.score_frames((x, 16000)), atol=1e-3)
    assert len(frames) in (123 // stride, -(-123 // stride))
    together, _ = onnx.run([x, x[:9000]])
    assert together[1] == pytest.approx(onnx.run_frames(x[:9000])[0], abs=1e-4)
    assert compare(model, onnx, np.resize(x, 50000), onnx.min_samples).holds
