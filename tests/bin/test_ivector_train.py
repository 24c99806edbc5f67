"""The program ivector-train: what it leaves, how it goes on, what stops it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.full import FullGmm
from asdkit.gmm.ubm import Ubm
from asdkit.io import store
from asdkit.io.ark import ArkWriter
from asdkit.io.store import load_arrays
from asdkit.ivector.system import IvectorSystem
from asdkit.models.ubm_files import save_ubm

OPTIONS = ["--ivector-dim=4", "--num-iters=3", "--num-gselect=3", "--device=cpu"]
PLACES = ["data", "exp/ubm", "exp/extractor"]
MODEL = "exp/extractor/extractor.npz"


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Features of 21 utterances in data/, a UBM, and a writer of other features."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")
    centers = 2 * rng.standard_normal((5, 3))
    full = FullGmm.of(np.full(5, 0.2), centers, np.tile(np.eye(3), (5, 1, 1)))
    frontend = FrontEnd(delta_order=0, cmn_window=0)
    save_ubm("exp/ubm/ubm.npz", Ubm(full.diagonal(), full), frontend)

    def write(feats):
        with ArkWriter("ark", "feats") as writer:
            for utt, array in feats.items():
                writer[utt] = array
        os.replace("ark/feats.scp", "data/feats.scp")

    write.feats = {}
    for i in range(21):
        moved = centers + 0.5 * rng.standard_normal((5, 3))
        noise = rng.standard_normal((60 + i, 3))
        write.feats[f"u{i:02}"] = moved[rng.integers(5, size=60 + i)] + noise
    write(write.feats)
    return write


def load(path=MODEL):
    return IvectorSystem.from_state(*load_arrays(path, "IvectorSystem"))


def test_the_file_holds_all_that_extraction_needs(corpus, capsys):
    assert main(["ivector-train", *OPTIONS, "--min-post=0.05", *PLACES]) == 0
    system = load()
    assert system.extractor.m_.shape == (5, 3, 4)
    assert system.extractor.loglikes_.shape == (3,)
    assert system.frontend == FrontEnd(delta_order=0, cmn_window=0)
    assert (system.num_gselect, system.min_post) == (3, 0.05)
    assert system.ubm.full.covars_.shape == (5, 3, 3)
    made = sorted(os.listdir("exp/extractor"))
    assert made == ["costs.jsonl", "extractor.npz", "results.json"]
    error = capsys.readouterr().err
    assert "21 utterances, 1470 frames" in error
    assert "ivector-extractor: iter 3/3: loglike/frame = -" in error


def interrupt_at(patch, number):
    """Press Ctrl-C when the ``number``-th file is to be written."""
    save, calls = store.save_arrays, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == number:
            raise KeyboardInterrupt
        save(*args)

    patch.setattr(store, "save_arrays", interrupted)


def test_a_training_that_was_killed_goes_on_to_the_same_model(
    corpus, monkeypatch, capsys
):
    assert main(["ivector-train", *OPTIONS, "data", "exp/ubm", "exp/whole"]) == 0
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        assert main(["ivector-train", *OPTIONS, *PLACES]) == 130
    assert os.listdir("exp/extractor") == ["checkpoint.npz"]
    capsys.readouterr()
    assert main(["ivector-train", *OPTIONS, *PLACES]) == 0
    error = capsys.readouterr().err
    assert "going on after iteration 2" in error
    assert "iter 2/3" not in error
    assert "iter 3/3" in error
    made = sorted(os.listdir("exp/extractor"))
    assert made == ["costs.jsonl", "extractor.npz", "results.json"]
    ours, theirs = load().extractor, load("exp/whole/extractor.npz").extractor
    assert np.array_equal(ours.m_, theirs.m_)
    assert np.array_equal(ours.covars_, theirs.covars_)


def test_another_training_starts_anew(corpus, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        assert main(["ivector-train", *OPTIONS, *PLACES]) == 130
    capsys.readouterr()
    assert main(["ivector-train", *OPTIONS, "--seed=1", *PLACES]) == 0
    assert "iter 1/3" in capsys.readouterr().err


@pytest.mark.slow
def test_two_ranks_train_the_same_model(corpus):
    """Their sums differ from those of one in the order of additions only."""
    options = [*OPTIONS, "--precision=float64"]
    assert main(["ivector-train", *options, "data", "exp/ubm", "one"]) == 0
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, "-m", *launcher, "-m", "asdkit", "ivector-train"]
    places = ["data", "exp/ubm", "two"]
    subprocess.run([*command, *options, *places], check=True, timeout=120)
    one, two = (load(f"{path}/extractor.npz").extractor for path in ("one", "two"))
    np.testing.assert_allclose(two.loglikes_, one.loglikes_, rtol=1e-6)
    np.testing.assert_allclose(two.m_, one.m_, atol=1e-4)
    np.testing.assert_allclose(two.covars_, one.covars_, atol=1e-4)
    made = ["costs.jsonl", "extractor.npz", "results.json"]
    assert sorted(os.listdir("two")) == made


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ivector-dim=1"], "--ivector-dim: expected an integer at least 2"),
        (["--num-iters=0"], "--num-iters: expected an integer at least 1"),
    ],
)
def test_options_out_of_range_are_one_line(corpus, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        main(["ivector-train", *OPTIONS, *options, *PLACES])
    error = [x for x in capsys.readouterr().err.splitlines() if "error:" in x]
    assert len(error) == 1
    assert message in error[0]
    assert not os.path.exists("exp/extractor")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--gaussian-min-count=1e5"], "no Gaussian has 100000 frames"),
    ],
)
def test_options_that_ask_too_much_are_one_line(corpus, capsys, options, message):
    assert main(["ivector-train", *OPTIONS, *options, *PLACES]) == 1
    error = [x for x in capsys.readouterr().err.splitlines() if "error:" in x]
    assert len(error) == 1
    assert message in error[0]
    assert not os.path.exists("exp/extractor")


def test_fewer_utterances_than_dimensions_are_one_line_with_a_cure(corpus, capsys):
    corpus(dict(list(corpus.feats.items())[:3]))
    assert main(["ivector-train", *OPTIONS, *PLACES]) == 1
    error = capsys.readouterr().err
    assert "as many utterances as i-vector dimensions, 4, got 3" in error
    assert "hint: --ivector-dim 2, or more data" in error
    assert not os.path.exists("exp/extractor")


@pytest.mark.usefixtures("damaged")
@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            {f"u{i:02}": np.ones((60, 4)) for i in range(21)},
            "u00: expected frames of 3",
        ),
        ({"u03": np.full((60, 3), np.nan)}, "'u03' holds NaN or infinity"),
    ],
)
@pytest.mark.usefixtures("damaged")
def test_bad_features_are_one_line_and_leave_nothing(corpus, capsys, harm, message):
    corpus({**corpus.feats, **harm})
    assert main(["ivector-train", *OPTIONS, *PLACES]) == 1
    error = [x for x in capsys.readouterr().err.splitlines() if "error:" in x]
    assert len(error) == 1
    assert message in error[0]
    assert not os.path.exists("exp/extractor")


def test_a_ubm_that_is_not_there_is_one_line(corpus, capsys):
    assert main(["ivector-train", *OPTIONS, "data", "exp/none", "exp/extractor"]) == 1
    assert "exp/none/ubm.npz: no such model file" in capsys.readouterr().err
