"""On a tiny wav2vec 2.0 with random weights, in transformers' format."""

import numpy as np
import pytest
import soundfile
import torch

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.ark import read_arrays
from asdkit.models.ssl_checkpoints import load_means

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


@pytest.fixture
def audio(tmp_path, rng, monkeypatch, one_thread, torchaudio):
    """Three utterances, one of them too short for a frame; and a checkpoint."""
    transformers = pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**SIZES))
    model.save_pretrained("tiny")
    samples = {"a": 0.1 * rng.normal(size=9000), "b": 0.1 * rng.normal(size=7000)}
    samples["short"] = np.zeros(500)
    utts = []
    for utt, x in samples.items():
        soundfile.write(f"{utt}.wav", x, 16000, "FLOAT")
        place = (f"{utt}.wav", False, 0.0, len(x) / 16000, 0, 16000)
        utts.append(Utterance(utt, "s", *place))
    write_utterances("data", utts)
    return samples


def test_every_layer_has_an_archive_of_means(audio, capsys):
    assert main(["ssl-extract", "--device", "cpu", "data", "tiny", "exp"]) == 0
    for layer in range(3):
        found = dict(read_arrays(f"scp:exp/layer{layer}/embedding.scp"))
        assert found.keys() == {"a", "b"}
        network = load_means("tiny", [layer])
        for utt, vector in found.items():
            samples = torch.from_numpy(audio[utt]).float()[None, :, None]
            with torch.no_grad():
                expected = network(samples)[0].numpy()
            np.testing.assert_allclose(vector, expected, rtol=1e-4, atol=1e-5)
    assert "1 of 3 utterances have fewer than" in capsys.readouterr().err


def test_one_layer_may_be_chosen(audio, tmp_path, capsys):
    assert main(["ssl-extract", "--layers", "1", "data", "tiny", "exp"]) == 0
    assert [path.name for path in (tmp_path / "exp").glob("layer*")] == ["layer1"]
    assert main(["ssl-extract", "--layers", "1,7", "data", "tiny", "exp"]) == 1
    assert "expected distinct layers from 0 to 2, got (1, 7)" in capsys.readouterr().err
