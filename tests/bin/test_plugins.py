"""Plug-ins through the programs: trained by name, opened only if they are named."""

import contextlib
import sys
from itertools import count

import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.base import plugins
from asdkit.base.errors import DataError
from asdkit.base.expressions import source_of
from asdkit.base.signatures import _parameters
from asdkit.data.manifests import read_utterances, write_utterances
from asdkit.io.ark import read_arrays
from asdkit.models.networks import load_network

NUMBER = count()
SOURCE = '''
"""Toys of every kind."""

from pathlib import Path

from torch import nn

from asdkit.base.ranges import Count, Positive
from asdkit.losses.objective import Labels
from asdkit.nnet.network import Network

Path("imported").touch()


class Net(Network):
    """A linear map of the mean.

    Args:
        width: units between.
        feat_dim: D.
        embedding_dim: E.
    """

    def __init__(self, feat_dim, width: Count = 5, embedding_dim: Count = 8):
        super().__init__(feat_dim, embedding_dim)
        self.layers = nn.Sequential(
            nn.Linear(feat_dim, width), nn.Linear(width, embedding_dim)
        )

    def embed(self, x, num_frames):
        """(N, D, T) features -> (N, E) embeddings."""
        return self.layers(x.mean(dim=2))


class Loss(nn.Module):
    """A linear classifier.

    Args:
        embedding_dim: E.
        num_classes: K.
        temperature: divides the logits.
    """

    def __init__(self, num_classes, embedding_dim, temperature: Positive = 2.0):
        super().__init__()
        self.output = nn.Linear(embedding_dim, num_classes)
        self.temperature = temperature

    def forward(self, embeddings, labels):
        """(N, E) embeddings, (N,) labels -> () loss."""
        logits = self.output(embeddings) / self.temperature
        return nn.functional.cross_entropy(logits, labels)


class Objective(Labels):
    """A loss, and short embeddings.

    Args:
        shortness: weight of the embeddings' squared length.
        labels: options of `Labels`.
    """

    def __init__(self, loss, shortness: Positive = 0.1, **labels):
        super().__init__(loss, **labels)
        self.shortness = shortness

    def terms(self, embeddings, batch):
        """(N, E) embeddings and their batch -> both terms."""
        length = self.shortness * embeddings.square().mean()
        return super().terms(embeddings, batch) | {"length": length}


class Plain(nn.Module):
    """No network of asdkit's.

    Args:
        feat_dim: D.
        embedding_dim: E.
    """

    def __init__(self, feat_dim: int = 3, embedding_dim: int = 8):
        super().__init__()
        self.embedding_dim = embedding_dim
'''
FEATURES = '''
"""Energies of short pieces of audio."""

import dataclasses

import numpy as np

from asdkit.features.framing import Features


@dataclasses.dataclass(frozen=True, kw_only=True)
class Energies(Features):
    """Log energies of neighboring pieces.

    Args:
        bins: D.
    """

    bins: int = 10

    @property
    def dim(self):
        return self.bins

    @property
    def window_size(self):
        return 160

    @property
    def window_shift(self):
        return 160

    def batch(self, recordings, seeds=None):
        return [
            np.log1p(np.square(x[: len(x) // 160 * 160].reshape(-1, 10, 16)).sum(2))
            for x in recordings
        ]
'''
LOOP = [
    "--batch-size",
    "8",
    "--num-epochs",
    "2",
    "--learning-rate",
    "0.02",
    "--device",
    "cpu",
]


@pytest.fixture
def module(noise_corpus, tmp_path, monkeypatch):
    """A module of plug-ins, in the current folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    name = f"toys{next(NUMBER)}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    return name


@pytest.fixture
def trained(module):
    """The options of a training with plug-ins of three kinds, which has been run.

    Objectives have a --temperature already, so that of the loss has another name.
    """
    options = [
        *("--network", f"{module}:Net", "--width", "6"),
        *("--loss", f"{module}:Loss", "--loss.temperature", "3"),
        *("--objective", f"{module}:Objective", "--shortness", "0.2"),
    ]
    paths = ["--chunk-frames", "30", "data/train", "exp/net"]
    assert main(["nnet-train", *options, *LOOP, *paths]) == 0
    return options


@pytest.fixture
def forget(monkeypatch):
    """Return what makes this process one in which nothing has been named."""

    def begin_anew(module):
        monkeypatch.setattr(plugins, "_allowed", set())
        monkeypatch.delitem(sys.modules, module, raising=False)

    return begin_anew


def test_plugins_are_trained_with_options_of_their_own(trained, module):
    options = load_network("exp/net/network.pt").options
    assert options["network"] == {
        "name": f"{module}:Net",
        "width": 6,
        "embedding_dim": 8,
        "feat_dim": 10,
    }
    assert options["loss"] == {"name": f"{module}:Loss", "temperature": 3.0}
    assert options["objective"]["shortness"] == 0.2
    assert all("length" in entry for entry in options["history"])


def test_a_saved_model_does_not_import_its_plugin_until_it_is_named(
    trained, module, tmp_path, forget, capsys
):
    forget(module)
    (tmp_path / "imported").unlink()
    extract = ["nnet-extract", "--device", "cpu", "data/train", "exp/net", "exp/out"]
    for argv in (extract, ["nnet-info", "exp/net"]):
        assert main(argv) == 1
        line, hint = capsys.readouterr().err.splitlines()[-2:]
        where = f"exp/net/network.pt: its network cannot be built: {module}:Net is a"
        assert f"{where} plug-in that you did not name" in line
        assert f"--plugins {module} imports it" in hint
    assert main(["model-info", "exp/net/network.pt"]) == 0
    assert not (tmp_path / "imported").exists()
    assert main([*extract, "--plugins", module]) == 0
    assert (tmp_path / "imported").exists()
    assert next(iter(read_arrays("scp:exp/out/embedding.scp")))[1].shape == (8,)


@pytest.mark.parametrize(
    "source",
    [
        ["--init-from", "exp/net/network.pt"],
        ["--teacher", "exp/net", "--objective", "cosine"],
    ],
)
def test_a_plugin_in_a_network_to_start_or_learn_from_is_named(
    module, forget, capsys, source
):
    """The cure was an option that training did not have."""
    train = ["nnet-train", "--network", "resnet18", "--channels", "2", *LOOP]
    train += ["--chunk-frames", "30", "data/train"]
    assert main([*train, "--loss", f"{module}:Loss", "exp/net"]) == 0
    forget(module)
    assert main([*train, *source, "exp/new"]) == 1
    assert f"--plugins {module} imports it" in capsys.readouterr().err
    assert main([*train, *source, "--plugins", module, "exp/new"]) == 0


def test_python_names_the_plugins_of_a_file(trained, module, forget):
    forget(module)
    with pytest.raises(DataError, match="is a plug-in that you did not name"):
        load_network("exp/net/network.pt")
    network = load_network("exp/net/network.pt", plugins=[module]).network
    assert type(network).__module__ == module


def test_a_named_module_that_is_not_there_is_one_line(trained, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["nnet-info", "exp/net", "--plugins", "no_such.module"])
    problem = "argument --plugins: there is no Python module 'no_such.module'"
    assert problem in capsys.readouterr().err


def test_a_module_that_has_lost_its_class_is_one_line(
    trained, module, tmp_path, forget, capsys
):
    forget(module)
    source_of.cache_clear()
    _parameters.cache_clear()
    (tmp_path / f"{module}.py").write_text("x = 1\n")
    assert main(["nnet-info", "exp/net", "--plugins", module]) == 1
    assert f"{module} defines no class or function 'Net'" in capsys.readouterr().err


def test_the_options_of_a_finished_training_are_compared(trained, module, capsys):
    paths = ["--chunk-frames", "30", "data/train", "exp/net"]
    changed = [*trained, "--width", "7", *LOOP, *paths]
    assert main(["nnet-train", *changed]) == 1
    assert "network.width = 6, now 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("--network no_such:Net", "--network: there is no Python module 'no_such'"),
        ("--network {}:Nett", "--network: {} defines no class or function 'Nett'"),
        ("--network {}:Loss", "{}:Loss has no parameter 'feat_dim', which it is given"),
        ("--loss {}:Net", "{}:Net: its parameter 'feat_dim' needs a default; given"),
        ("--objective {}:Net", "{}:Net has no parameter 'loss', which it is given"),
        ("--network {}:Net --width 0", "--width: expected an integer at least 1"),
    ],
)
def test_what_does_not_fit_is_one_line_before_data_are_read(
    options, problem, module, capsys, tmp_path
):
    argv = [*options.format(module).split(), "data/none", "exp/net"]
    with contextlib.suppress(SystemExit):
        main(["nnet-train", *argv])
    errors = [x for x in capsys.readouterr().err.splitlines() if "error" in x]
    assert len(errors) == 1
    assert problem.format(module) in errors[0]
    assert not (tmp_path / "imported").exists()


def test_a_class_that_is_no_network_is_one_line(module, capsys):
    argv = ["--network", f"{module}:Plain", *LOOP, "--chunk-frames", "30"]
    assert main(["nnet-train", *argv, "data/train", "exp/net"]) == 1
    error = capsys.readouterr().err
    assert "expected a class derived from asdkit.nnet.network:Network" in error


def test_help_shows_a_plugins_options(module, capsys, tmp_path):
    with pytest.raises(SystemExit, match="0"):
        main(["nnet-train", "--network", f"{module}:Net", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--width N units between (default: 5)" in shown
    assert "--stem" not in shown
    assert not (tmp_path / "imported").exists()


def test_info_of_a_plugin_that_is_named(module, capsys):
    assert main(["nnet-info", f"{module}:Net", "--feat-dim", "10"]) == 0
    assert f"{module}:Net" in capsys.readouterr().out
    assert main(["nnet-info", f"{module}:Net"]) == 1
    assert f"{module}:Net needs 'feat_dim'" in capsys.readouterr().err


def test_features_of_a_plugin_are_computed_in_training_and_extraction(
    audio_corpus, module, tmp_path, forget, capsys
):
    (tmp_path / f"{module}_feats.py").write_text(FEATURES)
    features = ["--features", f"{module}_feats:Energies"]
    small = "--network resnet18 --channels 4 --embedding-dim 8 --chunk-frames 20"
    argv = [*features, *small.split(), *LOOP, "data/audio", "exp/net"]
    assert main(["nnet-train", *argv]) == 0
    forget(f"{module}_feats")
    argv = ["nnet-extract", "--device", "cpu", "data/audio", "exp/net", "exp/out"]
    assert main(argv) == 1
    problem = f"{module}_feats:Energies is a plug-in that you did not name"
    assert problem in capsys.readouterr().err
    assert main([*argv, "--plugins", f"{module}_feats"]) == 0


@pytest.fixture
def audio_corpus(noise_corpus, tmp_path, rng):
    """The same speakers with audio."""
    utts = []
    for utt in read_utterances("data/train"):
        noise = 0.1 * rng.normal(size=8000)
        soundfile.write(f"{utt.utt}.wav", noise, 16000)
        utts.append(utt._replace(duration=0.5))
    write_utterances("data/audio", utts)
