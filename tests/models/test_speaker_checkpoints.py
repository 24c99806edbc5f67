"""Checkpoints of WeSpeaker and 3D-Speaker become models that embed what theirs do."""

import json

import kaldi_native_fbank as native
import numpy as np
import pytest
import soundfile
import torch

import asdkit
from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.models.networks import load_network
from asdkit.models.speaker_checkpoints import read_3dspeaker, read_wespeaker

WINDOW = {"wespeaker": "hamming", "3dspeaker": "povey"}
SCALE = {"wespeaker": 32768, "3dspeaker": 1}
READ = {"wespeaker": read_wespeaker, "3dspeaker": read_3dspeaker}


def fbank(samples, source):
    """Filter banks as the toolkits compute them, by another program: (L,) -> (T, D)."""
    options = native.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.window_type = WINDOW[source]
    options.mel_opts.num_bins = 16
    computer = native.OnlineFbank(options)
    computer.accept_waveform(16000, (SCALE[source] * samples).tolist())
    computer.input_finished()
    frames = [computer.get_frame(t) for t in range(computer.num_frames_ready)]
    feats = torch.from_numpy(np.stack(frames))
    return feats - feats.mean(dim=0)


def test_a_recording_is_embedded_as_by_the_toolkit(published, tmp_path, rng):
    """Its second half is so quiet that the floor of the filter banks is met."""
    source = published.source
    state = published.new()
    torch.save(dict(state), tmp_path / "avg_model.pt")
    command = ["model-import", source, f"{tmp_path}/avg_model.pt", f"{tmp_path}/exp"]
    assert main(command) == 0
    loudness = np.repeat([0.1, 3e-5], 12000)
    samples = (loudness * rng.standard_normal(24000)).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", samples, 16000, "FLOAT")
    model = asdkit.load(tmp_path / "exp")
    assert "trained elsewhere" in model.what
    with torch.inference_mode():
        expected = published.forward(state, fbank(samples, source))
    # What the FFTs round differently grows on its way through the layers.
    found = model.embed(tmp_path / "x.wav")
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-4)


def test_the_front_end_matters(published_called, tmp_path, rng):
    """The test above would see samples of another scale, or another window."""
    state = published_called("ecapa").new()
    samples = np.repeat([0.1, 3e-5], 12000) * rng.standard_normal(24000)
    with torch.inference_mode():
        one, other = (
            published_called("ecapa").forward(state, fbank(samples, source))
            for source in WINDOW
        )
    assert (one - other).abs().max() > 5e-3


def test_what_is_around_the_tensors_does_not_matter(published_called, tmp_path):
    """A classifier, counts as floats or none, names of a parallel training."""
    plain = dict(published_called("resnet").new())
    wrapped = {f"module.{name}": tensor for name, tensor in plain.items()}
    wrapped["module.projection.weight"] = torch.ones(10, 6)
    counts = [name for name in plain if name.endswith("tracked")]
    averaged = plain | {name: torch.tensor(7.5) for name in counts}
    without = {name: x for name, x in plain.items() if name not in counts}
    torch.save(plain, tmp_path / "plain.pt")
    expected = read_wespeaker(tmp_path / "plain.pt").network.state_dict()
    for content in (wrapped, averaged, without):
        torch.save(content, tmp_path / "other.pt")
        found = read_wespeaker(tmp_path / "other.pt").network.state_dict()
        assert all(torch.equal(found[name], x) for name, x in expected.items())


def test_safetensors_are_read_too(published_called, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    state = dict(published_called("campplus").new())
    safetensors.save_file(state, tmp_path / "w.safetensors")
    torch.save(state, tmp_path / "w.pt")
    expected = read_3dspeaker(tmp_path / "w.pt").network.state_dict()
    found = read_3dspeaker(tmp_path / "w.safetensors").network.state_dict()
    assert all(torch.equal(found[name], x) for name, x in expected.items())
    (tmp_path / "w.safetensors").write_bytes(b"hello")
    with pytest.raises(DataError, match="not a checkpoint of tensors, or damaged: saf"):
        read_3dspeaker(tmp_path / "w.safetensors")
    with pytest.raises(DataError, match="no such file"):
        read_3dspeaker(tmp_path / "x.safetensors")


def test_other_tensors_are_named_in_one_line(published_called, tmp_path):
    def message(source, change):
        state = dict(published_called("ecapa").new())
        change(state)
        torch.save(state, tmp_path / "w.pt")
        with pytest.raises(DataError) as caught:
            READ[source](tmp_path / "w.pt")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def rename(state):
        for name in [x for x in state if x.startswith("layer3.")]:
            state[f"x{name}"] = state.pop(name)

    said = message("wespeaker", rename)
    assert "not the weights of wespeaker's ecapa_tdnn: tensor 'layer3.se_res2" in said
    assert said.count("is missing") == 3
    assert "more)" in said
    said = message("wespeaker", lambda x: x.update(extra=torch.ones(2)))
    assert said.endswith("tensor 'extra' of shape (2,) is not expected")
    said = message("wespeaker", lambda x: x.pop("conv.weight"))
    assert said.endswith("ECAPA-TDNN: tensor 'conv.weight' is missing")
    said = message("3dspeaker", lambda x: None)
    assert "of a ResNet, a CAM++ or an ECAPA-TDNN, got 'layer1" in said
    said = message("wespeaker", lambda x: x["layer1.conv.weight"].fill_(torch.nan))
    assert said.endswith("'layer1.conv.weight' has values that are not finite")


KINDS = ("resnet34", "campplus", "campplus_of_3dspeaker", "ecapa", "ecapa_of_3dspeaker")

TAKEN = {"hidden_dim"}  # by an objective's option of that name


@pytest.fixture(params=KINDS)
def imported(published_called, tmp_path, rng, monkeypatch, request):
    """A network in exp/teacher, and the data directory of four recordings."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for n in range(4):
        utt = f"s{n % 2}-{n}"
        soundfile.write(f"{utt}.flac", 0.1 * rng.standard_normal(9600), 16000)
        utterances.append(
            Utterance(utt, utt[:2], f"{utt}.flac", False, 0.0, 0.6, 0, 16000)
        )
    write_utterances("data", utterances)
    published = published_called(request.param)
    torch.save(dict(published.new()), "w.pt")
    assert main(["model-import", published.source, "w.pt", "exp/teacher"]) == 0
    return load_network("exp/teacher/network.pt").options["network"]


@pytest.mark.slow
def test_it_teaches_and_is_trained_on(imported):
    loop = "--num-epochs 1 --batch-size 2 --chunk-frames 30 --device cpu --network"
    student = [*loop.split(), "senet9", "--channels", "4", "--objective", "cosine"]
    student += ["--teacher", "exp/teacher", "--features", "fbank"]
    assert main(["nnet-train", *student, "data", "exp/student"]) == 0
    tuned = [imported["name"], "--init-from", "exp/teacher/network.pt"]
    for name, value in imported.items():
        if name not in ("name", "feat_dim"):
            flag = json.dumps(value).strip('[]"').replace(" ", "")
            whose = "network." if name in TAKEN else ""
            tuned += [f"--{whose}{name.replace('_', '-')}", flag]
    tuned += ["--features", "fbank", "--num-mel-bins", "16"]
    assert main(["nnet-train", *loop.split(), *tuned, "data", "exp/tuned"]) == 0


@pytest.mark.slow
def test_it_becomes_a_graph_and_a_bundle(imported):
    """Both pass the gate: cosines of 0.9999 to what is embedded here."""
    pytest.importorskip("onnx")
    assert main(["nnet-export", "--form", "feats", "exp/teacher", "x.onnx"]) == 0
    words = ["--licence", "CC-BY-4.0", "--data", "VoxCeleb", "exp/teacher", "model"]
    assert main(["bundle-make", *words]) == 0
    audio = ["s0-0.flac", "s1-1.flac"]
    embeddings = asdkit.load("exp/teacher").embed_many(audio)
    x = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    verdict = asdkit.load("model").verify(*audio)
    assert float(verdict.score) == pytest.approx(float(x[0] @ x[1]), abs=1e-3)
