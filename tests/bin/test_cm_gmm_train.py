"""cm-gmm-train makes two mixtures, one of each class's frames."""

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.countermeasures.gmm import load_spoof_gmm
from asdkit.data.manifests import read_utterances, write_utterances
from asdkit.io.tables import write_table


@pytest.fixture
def attacked(noise_corpus):
    """Speakers s0 to s3 of the noises are attacks; the features stay."""
    utterances = [
        item._replace(custom={"attack": "A01" if item.spk < "s4" else "bonafide"})
        for item in read_utterances("data/train")
    ]
    write_utterances("data/train", utterances)
    return noise_corpus


def test_each_mixture_has_mean_and_variance_of_its_class(attacked):
    """EM keeps the moments of all frames: those of one Gaussian exactly."""
    options = ["--num-gauss", "1", "--delta-order", "0", "--device", "cpu"]
    assert main(["cm-gmm-train", *options, "data/train", "exp/gmm"]) == 0
    model = load_spoof_gmm("exp/gmm/gmm.npz")
    for mixture, is_spoof in ((model.bonafide, False), (model.spoof, True)):
        frames = [x for utt, x in attacked.items() if (utt < "s4") == is_spoof]
        frames = np.concatenate(frames).astype(float)
        np.testing.assert_allclose(mixture.means_[0], frames.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(mixture.vars_[0], frames.var(axis=0), rtol=1e-3)


@pytest.mark.parametrize("only", ["A01", "bonafide"])
def test_one_class_is_too_little(attacked, capsys, only, tmp_path):
    utterances = [
        item._replace(custom={"attack": only}) for item in read_utterances("data/train")
    ]
    write_utterances("data/train", utterances)
    train = ["cm-gmm-train", "--num-gauss", "2", "--device", "cpu", "data/train"]
    assert main([*train, "exp/gmm"]) == 1
    assert "error: data/train" in capsys.readouterr().err
    assert not (tmp_path / "exp/gmm/gmm.npz").exists()


def test_data_without_attacks_are_one_line(noise_corpus, capsys):
    write_table("data/train/utt2attack", {})
    train = ["cm-gmm-train", "--num-gauss", "2", "--device", "cpu", "data/train"]
    assert main([*train, "exp/gmm"]) == 1
    assert "asdkit cm-gmm-train: error: data/train" in capsys.readouterr().err


def test_too_few_frames_for_the_gaussians_are_one_line(attacked, capsys):
    assert main(["cm-gmm-train", "data/train", "exp/gmm"]) == 1
    error = capsys.readouterr().err
    assert "512 Gaussians need at least 5120 frames" in error
    assert "hint: at most --num-gauss" in error
