"""The program ubm-train: what it leaves behind, on one rank or two; what stops it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import ArkWriter
from asdkit.models.ubm_files import load_ubm

HUGE = 1e30 * np.arange(780.0).reshape(260, 3)
OPTIONS = ["--num-gauss=6", "--num-init-iters=5", "--subsample=2", "--num-gselect=4"]
OPTIONS += ["--delta-order=1", "--delta-window=2", "--cmn-window=50", "--device=cpu"]


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Features of 13 utterances in data/, half of the frames voiced, and a writer."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("data")

    def write(name, arrays):
        with ArkWriter("ark", name) as writer:
            for utt, array in arrays.items():
                writer[utt] = array
        os.replace(f"ark/{name}.scp", f"data/{name}.scp")

    write.feats, vad = {}, {}
    centers = 4 * rng.standard_normal((6, 3))
    for i in range(13):
        states = np.repeat(rng.integers(6, size=10 + i), 20)
        noise = rng.standard_normal((len(states), 3))
        write.feats[f"u{i:02}"] = centers[states] + noise
        vad[f"u{i:02}"] = (np.arange(len(states)) % 4 < 2).astype(np.float32)
    write("feats", write.feats)
    write("vad", vad)
    return write


def test_the_file_holds_both_mixtures_and_the_front_end(corpus, capsys):
    assert main(["ubm-train", *OPTIONS, "data", "exp/ubm"]) == 0
    ubm, frontend = load_ubm("exp/ubm/ubm.npz")
    assert frontend == FrontEnd(delta_window=2, delta_order=1, cmn_window=50)
    assert ubm.full.covars_.shape == (6, 6, 6)
    assert ubm.diag.vars_.shape == (6, 6)
    assert sorted(os.listdir("exp/ubm")) == ["costs.jsonl", "results.json", "ubm.npz"]
    assert "ubm: FullGmm: iter 4/4: loglike/frame = -" in capsys.readouterr().err


@pytest.mark.slow
def test_two_ranks_train_the_same_model(corpus):
    """Their sums differ from those of one in the order of float64 additions only."""
    assert main(["ubm-train", *OPTIONS, "data", "one"]) == 0
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [sys.executable, "-m", *launcher, "-m", "asdkit", "ubm-train"]
    subprocess.run([*command, *OPTIONS, "data", "two"], check=True, timeout=120)
    one, two = (load_ubm(f"{path}/ubm.npz")[0] for path in ("one", "two"))
    np.testing.assert_allclose(two.full.weights_, one.full.weights_, rtol=1e-5)
    np.testing.assert_allclose(two.full.means_, one.full.means_, atol=1e-4)
    np.testing.assert_allclose(two.full.covars_, one.full.covars_, atol=1e-4)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ({"u03": np.full((200, 3), np.nan)}, "'u03' holds NaN or infinity"),
        ({"u03": np.ones((260, 4))}, "'u03' has 4 dimensions, those before 3"),
        ({"u03": np.ones((9, 3))}, "'u03': 260 decisions for 9 frames"),
        ({"u03": HUGE}, "'u03' holds NaN or infinity, or more than 1e+15"),
    ],
)
@pytest.mark.usefixtures("damaged")
def test_bad_features_are_one_line_and_leave_nothing(corpus, capsys, harm, message):
    corpus("feats", {**corpus.feats, **harm})
    assert main(["ubm-train", *OPTIONS, "data", "exp/ubm"]) == 1
    error = [x for x in capsys.readouterr().err.splitlines() if "error:" in x]
    assert len(error) == 1
    assert message in error[0]
    assert not os.path.exists("exp")


@pytest.mark.parametrize("name", ["num-gauss", "num-gselect", "subsample"])
def test_nothing_of_something_is_one_line(corpus, capsys, name):
    with pytest.raises(SystemExit, match="2"):
        main(["ubm-train", *OPTIONS, f"--{name}=0", "data", "exp/ubm"])
    assert f"--{name}: expected an integer at least 1" in capsys.readouterr().err


def test_too_few_frames_are_one_line_with_a_cure(corpus, capsys):
    assert main(["ubm-train", *OPTIONS, "--num-gauss=999", "data", "exp/ubm"]) == 1
    error = capsys.readouterr().err
    assert "999 Gaussians need at least 9990 frames, got 2080" in error
    assert "hint: at most --num-gauss 208" in error
    assert not os.path.exists("exp")
