"""8-bit graphs: the network's weights are 8-bit numbers, its front end's are not."""

import numpy as np
import pytest

from asdkit.features.mel import Fbank
from asdkit.inference.graph import graph_of
from asdkit.inference.graph_trials import MAX_SHARE
from asdkit.inference.onnx_file import to_onnx
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.quantization import NUM_PIECES, PIECE_SEC, _Reader, quantize
from asdkit.inference.sherpa import SHERPA

onnx = pytest.importorskip("onnx")


@pytest.mark.slow
@pytest.mark.parametrize("int8", ["dynamic", "static"])
def test_the_network_has_8_bits_and_the_front_end_keeps_its_own(untrained, rng, int8):
    model = untrained("xvector", network={"channels": 128})
    content = to_onnx(graph_of(model, "waveform"), 24000)
    speech = rng.normal(0, 0.1, 100_000).astype(np.float32)
    small = quantize(content, int8, model, "waveform", speech)
    assert len(small) < 0.7 * len(content)
    graph = onnx.load_model_from_string(small).graph
    weights = {x.name: onnx.numpy_helper.to_array(x) for x in graph.initializer}
    large = [x for x in weights.values() if x.ndim > 1 and x.size > 8000]
    kinds = {x.shape: x.dtype.kind for x in large}
    front_end = [shape for shape in kinds if shape[-1] == 400]  # DFT of a frame
    assert len(front_end) == 1
    assert kinds.pop(front_end[0]) == "f"
    assert kinds
    assert set(kinds.values()) <= {"i", "u"}
    x = [speech[:16000], speech[:9000]]
    one, other = (OnnxModel(graph).run(x)[0] for graph in (content, small))
    cosine = (one * other).sum(1) / np.linalg.norm(one, axis=1)
    assert (cosine / np.linalg.norm(other, axis=1) > 0.95).all()


@pytest.mark.slow
def test_a_network_for_phones_has_a_quarter_of_its_size(untrained, rng):
    """That of egs/speechocean762/v2/conf/tiny.conf, whose names were another tenth."""
    sizes = {"channels": 64, "pooled_channels": 256, "embedding_dim": 128}
    model = untrained("ecapa_tdnn", SHERPA, network=sizes)
    content = to_onnx(graph_of(model, "sherpa"), 300)
    small = quantize(content, "dynamic", model, "sherpa", np.zeros(16000, np.float32))
    assert len(small) <= MAX_SHARE * len(content)
    feats = rng.normal(0, 2, (1, 200, 80)).astype(np.float32)
    one, other = (OnnxModel(x).run_features(feats)[0] for x in (content, small))
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.99


def test_ranges_are_from_all_of_the_speech_up_to_a_limit(untrained, rng):
    model = untrained("xvector", Fbank(num_mel_bins=24, dither=0.0))
    piece = round(PIECE_SEC * 16000)
    speech = rng.normal(0, 0.1, 2 * piece + 100).astype(np.float32)
    reader = _Reader(model, "waveform", speech)
    first, second = reader.get_next(), reader.get_next()
    np.testing.assert_array_equal(first["samples"][0], speech[:piece])
    np.testing.assert_array_equal(second["samples"][0], speech[piece : 2 * piece])
    assert reader.get_next() is None
    feats = _Reader(model, "feats", speech).get_next()["feats"]
    np.testing.assert_array_equal(feats[0], model.front_end.extractor(speech[:piece]))
    long = np.resize(speech, (NUM_PIECES + 3) * piece)
    assert len(list(_Reader(model, "waveform", long).items)) == NUM_PIECES
