"""Tiny encoders with random weights, in the formats of the real ones."""

import hashlib
import json

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.models import ssl_checkpoints
from asdkit.models.ssl_checkpoints import load_means, read_ssl
from asdkit.nnet.ssl import SslEcapa

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


def network_of(checkpoint):
    network = SslEcapa(**checkpoint.options, channels=16, pooled_channels=24)
    network.ssl.model.load_state_dict(checkpoint.weights)
    return network.eval()


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("kind", ["WavLM", "Wav2Vec2", "Hubert"])
def test_a_folder_of_transformers_gives_transformers_layers(
    kind, large, tmp_path, torchaudio
):
    transformers = pytest.importorskip("transformers")
    norm = {"feat_extract_norm": "layer" if large else "group"}
    config = getattr(transformers, f"{kind}Config")(
        **SIZES, **norm, do_stable_layer_norm=large
    )
    torch.manual_seed(0)
    model = getattr(transformers, f"{kind}Model")(config).eval()
    model.save_pretrained(tmp_path)
    checkpoint = read_ssl(tmp_path)
    assert checkpoint.options["ssl_normalize"] == large
    json.dumps(checkpoint.options)  # as a model file keeps them
    network = network_of(checkpoint)
    samples = torch.randn(2, 4000)
    with torch.no_grad():
        normal = torch.nn.functional.layer_norm(samples, (4000,)) if large else samples
        expected = model(normal, output_hidden_states=True).hidden_states
        found = network.ssl(samples)
    # Transformers normalize the last layer of the large ones, torchaudio does not.
    for layer, same in zip(found[:-1], expected[:-1], strict=True):
        torch.testing.assert_close(layer, same, rtol=1e-3, atol=1e-5)


def test_the_preprocessor_says_whether_to_normalize(tmp_path, torchaudio):
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2Config(**SIZES)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    assert read_ssl(tmp_path).options["ssl_normalize"]


def test_means_are_those_of_the_authors_script(tmp_path, rng, torchaudio):
    """As of the checkpoint they took: with a classifier of letters, normalizing."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(**SIZES)
    transformers.Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    processor.save_pretrained(tmp_path)
    model = transformers.Wav2Vec2Model.from_pretrained(tmp_path).eval()
    samples = 0.01 * rng.normal(size=5000) + 0.002
    values = processor(samples, sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        states = model(**values, output_hidden_states=True).hidden_states
    for layer in range(3):
        network = load_means(tmp_path, [layer])
        found = network(torch.from_numpy(samples).float()[None, :, None])[0]
        expected = states[layer][0].mean(dim=0)
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(DataError, match=r"layers from 0 to 2, got \(3,\)"):
        load_means(tmp_path, [3])


@pytest.fixture
def tiny(monkeypatch, torchaudio):
    """Let torchaudio publish a small model, too."""

    def wavlm_tiny():
        return torchaudio.models.wavlm_model(
            "layer_norm",
            [(8, 10, 5), (8, 3, 2)],
            False,
            *(16, 0.0, 8, 2, 2, 2, 16, 40, 0.0, 24, 0.0, 0.0, True, 0.0),
            aux_num_out=None,
        )

    monkeypatch.setattr(torchaudio.models, "wavlm_tiny", wavlm_tiny, raising=False)
    monkeypatch.setattr(ssl_checkpoints, "PUBLISHED", ("wavlm_base", "wavlm_tiny"))
    monkeypatch.setattr("asdkit.nnet.ssl.PUBLISHED", ("wavlm_base", "wavlm_tiny"))
    return wavlm_tiny


def test_a_file_of_torchaudio_s_is_known_by_its_sizes(tiny, tmp_path):
    torch.manual_seed(0)
    model = tiny().eval()
    state = model.state_dict() | {"aux.weight": torch.zeros(2)}
    torch.save(state, tmp_path / "tiny.pth")
    checkpoint = read_ssl(tmp_path / "tiny.pth")
    assert checkpoint.options == {
        "ssl": "wavlm_tiny",
        "ssl_options": None,
        "ssl_normalize": True,
    }
    network = network_of(checkpoint)
    samples = torch.randn(1, 800)
    with torch.no_grad():
        normal = torch.nn.functional.layer_norm(samples, (800,))
        expected, _ = model.extract_features(normal)
        torch.testing.assert_close(network.ssl(samples)[1:], expected)


def test_weights_of_an_older_torch_are_read(tiny, tmp_path):
    """torchaudio's files were written when weight_norm named its parts otherwise."""
    model = tiny()
    old = {
        k.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): x
        for k, x in model.state_dict().items()
    }
    torch.save(old, tmp_path / "old.pth")
    network = network_of(read_ssl(tmp_path / "old.pth"))
    for name, value in model.state_dict().items():
        assert torch.equal(network.ssl.model.state_dict()[name], value)


def test_other_sizes_and_other_files_are_one_line(tiny, tmp_path):
    state = tiny().state_dict()
    state.popitem()
    torch.save(state, tmp_path / "cut.pth")
    with pytest.raises(DataError, match=r"match none of wavlm_base, wavlm_t"):
        read_ssl(tmp_path / "cut.pth")
    with pytest.raises(DataError, match=r"none.pth: no such file"):
        read_ssl(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(DataError, match="not torchaudio weights"):
        read_ssl(tmp_path / "text.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(DataError, match="not torchaudio weights"):
        read_ssl(tmp_path / "list.pth")


def test_folders_that_are_none_are_one_line(tmp_path):
    with pytest.raises(DataError, match=r"config.json: no such file"):
        read_ssl(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(DataError, match="wavlm, wav2vec2, hubert, got 'bert'"):
        read_ssl(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DataError, match="not a configuration"):
        read_ssl(tmp_path)


def test_a_folder_without_weights_is_one_line(tmp_path, torchaudio):
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text('{"model_type": "wavlm"}')
    with pytest.raises(DataError, match="transformers cannot read it"):
        read_ssl(tmp_path)


@pytest.fixture
def folder(tmp_path, torchaudio):
    """A folder of transformers, and its weights by name."""
    transformers = pytest.importorskip("transformers")
    safetensors = pytest.importorskip("safetensors.torch")
    config = transformers.Wav2Vec2Config(**SIZES)
    transformers.Wav2Vec2Model(config).save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"

    def rewrite(weights):
        safetensors.save_file(weights, path, {"format": "pt"})

    return tmp_path, safetensors.load_file(path), rewrite


def test_a_folder_that_lacks_weights_is_refused(folder):
    """Transformers draws them at random, and results were those of no model."""
    path, weights, rewrite = folder
    others = {"something.else": torch.zeros(1)}
    one_less = dict(weights)
    del one_less["encoder.layers.1.attention.k_proj.weight"]
    for kept, count in ((others, len(weights) - 1), (one_less, 1)):
        rewrite(kept)
        with pytest.raises(DataError, match=f"lack {count} of {len(weights)} weights"):
            read_ssl(path)


def test_a_weight_for_pre_training_only_may_be_missing(folder):
    path, weights, rewrite = folder
    before = read_ssl(path).weights
    rewrite({k: v for k, v in weights.items() if k != "masked_spec_embed"})
    torch.testing.assert_close(read_ssl(path).weights, before)


def test_a_damaged_file_of_a_folder_is_one_line(folder):
    path, _, _ = folder
    (path / "model.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match="transformers cannot read it"):
        read_ssl(path)


def test_a_flipped_bit_of_published_weights_is_found(folder, caplog):
    path, weights, _ = folder
    file = path / "model.safetensors"
    read_ssl(path)
    assert f"sha256sum {file} > {file}.sha256" in caplog.text
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (path / "model.safetensors.sha256").write_text(f"{digest}  {file}\n")
    caplog.clear()
    read_ssl(path)
    assert "sha256sum" not in caplog.text
    flip_middle(file)
    with pytest.raises(DataError, match=r"expected the SHA-256 in model\.safetensors"):
        read_ssl(path)
    file.unlink()
    torch.save(weights, path / "pytorch_model.bin")
    read_ssl(path)
    flip_middle(path / "pytorch_model.bin")
    with pytest.raises(DataError, match=r"pytorch_model\.bin: damaged: .* CRC-32"):
        read_ssl(path)


def flip_middle(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
