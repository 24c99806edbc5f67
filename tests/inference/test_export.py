"""The gate: what passes is written, what does not is not; and the client itself."""

from pathlib import Path

import numpy as np
import pytest

import asdkit
from asdkit.__main__ import main
from asdkit.base.errors import AsdkitError
from asdkit.inference import export as exporting
from asdkit.inference.export import export
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.parity import through_sherpa
from asdkit.inference.sherpa import SHERPA

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["stored", "audio", "cm", "cm_audio"])
def test_models_of_the_programs_pass_on_synthesized_voices(models, name, tmp_path):
    """Voiced MFCCs with deltas, filter banks, and countermeasures, one of a crop."""
    path = tmp_path / "model.onnx"
    wav = str(models.folder / "exp/wav")
    words = ["nnet-export", "--check-audio", wav, f"exp/{name}", str(path)]
    assert main(words) == 0
    assert OnnxModel(path).is_cm == name.startswith("cm")


def test_a_graph_that_differs_is_not_written(models, tmp_path, monkeypatch, capsys):
    """One weight in a thousand is changed after tracing."""
    trace = exporting.to_onnx

    def spoil(graph, num_frames):
        for parameter in graph.module.network.parameters():
            parameter.data.mul_(1.02)
        return trace(graph, num_frames)

    monkeypatch.setattr(exporting, "to_onnx", spoil)
    assert main(["nnet-export", "exp/audio", str(tmp_path / "x.onnx")]) == 1
    said = capsys.readouterr().err
    assert "differs from the training path" in said
    assert "nothing is written" in said
    assert not list(tmp_path.iterdir())


def test_the_client_gives_what_the_training_path_gives(tmp_path, untrained):
    sherpa = pytest.importorskip("sherpa_onnx")
    model = untrained("ecapa_tdnn", SHERPA)
    path = tmp_path / "model.onnx"
    path.write_bytes(export(model, "sherpa").content)
    rng = np.random.default_rng(0)
    parity = through_sherpa(model, path, rng.normal(0, 0.1, 50000).astype("f"))
    assert parity.holds
    assert parity.num_recordings > 3
    config = sherpa.SpeakerEmbeddingExtractorConfig(model=str(path))
    assert sherpa.SpeakerEmbeddingExtractor(config).dim == model.embedding_dim


@pytest.mark.parametrize("int8", ["dynamic", "static"])
def test_8_bits_are_smaller_and_nearly_the_same(untrained, int8):
    model = untrained("xvector", SHERPA, network={"channels": 128})
    found = export(model, "waveform", int8)
    assert len(found.content) < 0.7 * found.float_bytes
    assert 0.9 < found.parity.cosine < 0.99999999
    about = OnnxModel(found.content).about
    assert about["producer"] == "asdkit"


def test_without_onnx_there_is_a_clear_line(models, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(AsdkitError, match="onnx is not installed") as caught:
        export(asdkit.load("exp/audio"))
    assert "asdkit[export]" in caught.value.hint
    assert not Path(tmp_path, "x").exists()
