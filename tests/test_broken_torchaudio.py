"""A torchaudio that cannot be imported stops self-supervised encoders and nothing else.

Its compiled half belongs to one torch, and pip does not always see to it.
"""

import os
import subprocess
import sys

import pytest
import soundfile
import torch

from asdkit.data.manifests import Utterance, write_utterances

RATE = 16000
SYMBOL = "undefined symbol: torch_exception_get_what_without_backtrace"
IMPORT_ALL = """
import importlib, pkgutil
import asdkit
for module in pkgutil.walk_packages(asdkit.__path__, "asdkit."):
    if module.name != "asdkit.__main__":
        importlib.import_module(module.name)
"""
COMPUTE_FEATURES = """
from asdkit.__main__ import main
from asdkit.features.registry import FEATURES
options = ["--allow-upsample", "true", "--allow-pipes", "true"]
for kind in FEATURES:
    assert main(["feats-compute", "--type", kind, *options, "data", f"exp/{kind}"]) == 0
"""
LOAD_AND_CHANGE_AUDIO = """
import numpy, torch
from asdkit.data.cuts import read_cuts
from asdkit.batches.cut_arrays import at_rate, load_samples
from asdkit.nnet.registry import build
from asdkit.simulation.attacks import ATTACKS, Material
cuts = at_rate(read_cuts("data", features=False, allow_pipes=True), 24000)
for speed in (1.0, 0.9):
    assert all(len(load_samples(x.perturb_speed(speed))) > 24000 for x in cuts)
noise = numpy.random.default_rng(0).normal(size=4000)
ATTACKS["griffin_lim"](Material(noise, 16000), numpy.random.default_rng(0))
build("resnet_se34_samples", channels=4)(torch.from_numpy(noise).float()[None, :, None])
"""
RUN_SSL = """
from asdkit.__main__ import main
for checkpoint in ("folder", "file.pth"):
    assert main(["ssl-extract", "data", checkpoint, "exp/ssl"]) == 1
options = "--network ssl_ecapa --ssl-checkpoint folder --features waveform"
options += " --chunk-frames 5040 --batch-size 2 --device cpu"
assert main(["nnet-train", *options.split(), "data", "exp/net"]) == 1
"""


@pytest.fixture
def run(tmp_path, monkeypatch, rng):
    """Run Python where torchaudio is broken, on three recordings; return its stderr."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for utt, rate in (("a-1", RATE), ("b-1", RATE), ("b-2", 8000)):
        soundfile.write(f"{utt}.wav", 0.1 * rng.standard_normal(2 * rate), rate)
        utterances.append(
            Utterance(utt, utt[0], f"{utt}.wav", False, 0.0, 2.0, 0, rate)
        )
    write_utterances("data", utterances)
    # lhotse would ask torchaudio who reads what a command has written.
    utterances[0] = utterances[0]._replace(source="cat a-1.wav", is_command=True)
    package = tmp_path / "first" / "torchaudio"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"raise OSError({SYMBOL!r})")

    def run(code, with_command=True):
        if with_command:
            write_utterances("data", utterances)
        path = os.pathsep.join([str(package.parent), *sys.path])
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    return run


def test_every_module_is_imported(run):
    assert run(IMPORT_ALL) == ""


def test_features_are_computed(run):
    assert "1 of 3 utterances resampled to 16000 Hz" in run(COMPUTE_FEATURES)


def test_audio_is_loaded_and_changed_and_a_network_hears_it(run):
    run(LOAD_AND_CHANGE_AUDIO)


def test_self_supervised_encoders_say_in_one_line_what_is_wrong(run, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_text('{"model_type": "wavlm"}')
    torch.save({}, tmp_path / "file.pth")
    said = run(RUN_SSL, with_command=False).splitlines()
    problem = f"error: torchaudio cannot be imported: {SYMBOL}"
    at = [n for n, line in enumerate(said) if "error: " in line]
    programs = ["ssl-extract", "ssl-extract", "nnet-train"]
    assert [said[n] for n in at] == [f"asdkit {name}: {problem}" for name in programs]
    cure = "asdkit doctor names the version of torchaudio that works with torch"
    assert all(cure in said[n + 1] for n in at)
    assert not (tmp_path / "exp").exists()
