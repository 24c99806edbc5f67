"""The front door: one function opens whatever a program trained."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

import asdkit
from asdkit.base.errors import AsdkitError, DataError
from asdkit.data.feats_info import read_vad_info
from asdkit.features.mel import Mfcc
from asdkit.inference.backend import Backend, Calibrator
from asdkit.inference.detectors import GmmCountermeasure, NetworkCountermeasure
from asdkit.inference.embedders import IvectorEmbedder, NetworkEmbedder
from asdkit.io.store import load_object, save_arrays
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.system import IvectorSystem

FRONT_DOOR = """
import sys
import asdkit

assert "load" in dir(asdkit)
slow = {"torch", "numpy", "lhotse", "scipy", "soundfile"} & set(sys.modules)
assert not slow, slow
asdkit.load
assert "torch" not in sys.modules
"""
CLASSES = {
    "exp/stored": NetworkEmbedder,
    "exp/audio/network.pt": NetworkEmbedder,
    "exp/ivector": IvectorEmbedder,
    "exp/cm": NetworkCountermeasure,
    "exp/gmm/gmm.npz": GmmCountermeasure,
    "exp/plda.npz": Backend,
    "exp/calibration.npz": Calibrator,
}


def test_the_front_door_imports_nothing_slow():
    done = subprocess.run([sys.executable, "-c", FRONT_DOOR], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_back_ends_and_calibrations_are_used_without_torch(models):
    code = (
        "import sys, asdkit, numpy as np\n"
        "backend = asdkit.load('exp/plda.npz', calibration='exp/calibration.npz')\n"
        "print(backend.score(np.ones(5), np.arange(1.0, 6.0)))\n"
        "assert not {'torch', 'lhotse'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'asdkit' has no attribute 'lod'"):
        asdkit.lod  # noqa: B018


@pytest.mark.parametrize("path", CLASSES)
def test_what_a_model_is_the_file_states(models, path):
    model = asdkit.load(path)
    assert type(model) is CLASSES[path]
    assert str(model.path).startswith(path)


def test_a_name_does_not_matter(models, tmp_path):
    shutil.copy("exp/cm/network.pt", tmp_path / "cm.model")
    shutil.copy("exp/plda.npz", tmp_path / "b")
    assert type(asdkit.load(tmp_path / "cm.model")) is NetworkCountermeasure
    assert type(asdkit.load(tmp_path / "b")) is Backend


def test_a_directory_with_two_models_is_ambiguous(models, tmp_path):
    shutil.copy("exp/cm/network.pt", tmp_path)
    shutil.copy("exp/plda.npz", tmp_path / "backend.npz")
    assert type(asdkit.load(tmp_path)) is NetworkCountermeasure
    shutil.copy("exp/gmm/gmm.npz", tmp_path)
    with pytest.raises(DataError, match=r"several models: network.pt, gmm.npz"):
        asdkit.load(tmp_path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("exp/none", "exp/none: no such file or directory"),
        ("exp/wav", "exp/wav: expected one of network.pt, extractor.npz, gmm.npz"),
        ("exp/ubm", r"ubm.npz: not usable on its own: 'Ubm'"),
        ("data/utt2spk", "utt2spk: not an asdkit file, or damaged"),
        ("bad.npz", "bad.npz: not an asdkit model, or damaged"),
        ("cut.npz", "cut.npz: not an asdkit model, or damaged"),
        ("cut.pt", "cut.pt: not an asdkit file, or damaged"),
    ],
)
def test_what_is_no_model_is_one_clear_error(
    models, tmp_path, monkeypatch, path, message
):
    (tmp_path / "bad.npz").write_text("no archive")
    for name, whole in ("cut.npz", "exp/plda.npz"), ("cut.pt", "exp/cm/network.pt"):
        content = (models.folder / whole).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    place = tmp_path / path if (tmp_path / path).exists() else path
    with pytest.raises(DataError, match=message):
        asdkit.load(place)


def forget(models, path):
    """Copy the extractor as versions before 0.2 and kaldi-import write it."""
    system = load_object("exp/ivector/extractor.npz", IvectorSystem)
    system.features = None
    options, arrays = system.to_state()
    assert "features" not in options
    save_arrays(path, "IvectorSystem", options, arrays)


def test_an_extractor_without_its_features_asks_for_them_and_takes_them(
    models, tmp_path
):
    path = tmp_path / "extractor.npz"
    forget(models, path)
    with pytest.raises(DataError, match="does not say how its features") as caught:
        asdkit.load(path)
    assert "features=: " in caught.value.hint
    assert "vad=: " in caught.value.hint
    features, vad = Mfcc(num_ceps=8, frame_length=20.0), read_vad_info("data").options
    with pytest.raises(DataError, match="does not say how its features"):
        asdkit.load(path, features=features)  # speech must not be guessed
    file = models.audio["spk0001-01-01"]
    expected = asdkit.load("exp/ivector").embed(file)
    for how in (
        {"features": features, "vad": vad},
        {"features": "exp/mfcc/feats.json", "vad": "exp/vad/vad.json"},
    ):
        np.testing.assert_array_equal(asdkit.load(path, **how).embed(file), expected)
    with pytest.raises(DataError, match="takes frames of 24 numbers, its features hav"):
        asdkit.load(path, features=Mfcc(), vad=vad)


def test_an_interrupted_training_of_before_goes_on(models, tmp_path, monkeypatch):
    """Its checkpoint does not say which features it was trained on."""
    path = tmp_path / "extractor.npz"
    forget(models, path)
    old = load_object(path, IvectorSystem)
    new = load_object("exp/ivector/extractor.npz", IvectorSystem)
    assert new.features["type"] == "mfcc"
    assert new.features["vad"] == read_vad_info("data")._asdict()
    monkeypatch.setattr(IvectorExtractor, "continues", lambda *_: True)
    assert new.resume(old, totals=None)
    assert new.extractor is old.extractor
    forgetful = load_object(path, IvectorSystem)
    other = load_object("exp/ivector/extractor.npz", IvectorSystem)
    other.features = {**new.features, "voiced": False}
    assert not new.resume(other, totals=None)  # these are known to differ
    assert new.resume(forgetful, totals=None)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("exp/cm", {"calibration": "exp/calibration.npz"}),
        ("exp/gmm", {"backend": "exp/plda.npz"}),
        ("exp/plda.npz", {"features": Mfcc()}),
        ("exp/calibration.npz", {"backend": "exp/plda.npz"}),
    ],
)
def test_what_a_model_has_no_use_for_is_refused(models, path, arguments):
    (name,) = arguments
    with pytest.raises(AsdkitError, match=f"has no use for {name}="):
        asdkit.load(path, **arguments)


def test_a_plug_in_is_imported_only_if_the_caller_names_it(models, tmp_path):
    pytest.importorskip("asdkit.base.plugins")
    with pytest.raises(AsdkitError, match="no Python module 'none_such'"):
        asdkit.load("exp/audio", plugins=["none_such"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "mfc"}, "cannot build it: expected one of mfcc, fbank"),
        ({"options": {"num_cepps": 8}}, "cannot build it: mfcc has no option"),
        ({"wheels": 4}, "cannot build it: .* unexpected keyword argument 'wheels'"),
        ({"vad": {}}, "its voice activity detection, None, needs a data directory"),
        ({"vad": {"method": "energy"}}, "voice activity detection: 'options'"),
    ],
)
def test_a_file_with_impossible_features_is_one_clear_error(
    models, tmp_path, change, message
):
    system = load_object("exp/ivector/extractor.npz", IvectorSystem)
    system.features = {**system.features, **change}
    save_arrays(tmp_path / "extractor.npz", "IvectorSystem", *system.to_state())
    with pytest.raises(DataError, match=message):
        asdkit.load(tmp_path)
