"""The programs cm-classifier-train and cm-classifier-score."""

import json

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.io.ark import ArkWriter
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.run_costs import read_run_costs
from asdkit.io.tables import write_table

PARTS = ("train", "dev")
SETS = [
    word
    for part in PARTS
    for word in (f"data/{part}/utt2attack", f"scp:exp/{part}/embedding.scp")
]


@pytest.fixture
def embeddings(tmp_path, rng, monkeypatch):
    """Two sets of 40 embeddings that are easily told apart."""
    monkeypatch.chdir(tmp_path)
    for part in PARTS:
        attacks = {f"{part}-{n:02d}": ("A01", "bonafide")[n % 2] for n in range(40)}
        write_table(f"data/{part}/utt2attack", attacks)
        with ArkWriter(f"exp/{part}", "embedding") as writer:
            for utt, attack in attacks.items():
                writer[utt] = rng.normal(4 * (attack == "bonafide"), size=5)
    return attacks


def test_the_best_of_a_grid_is_trained_twice_and_scores(embeddings, capsys):
    grid = ["--classifier", "svm", "--c", "0.1,1", "--kernel", "linear,rbf"]
    assert main(["cm-classifier-train", *grid, *SETS, "exp/cm"]) == 0
    assert "4/4: {'c': 1.0, 'kernel': 'rbf'}" in capsys.readouterr().err
    for refit in ("train", "train_dev"):
        capsys.readouterr()
        assert main(["model-info", f"exp/cm/{refit}/classifier.npz"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["kind"], told["options"]["name"]) == ("EmbeddingCm", "svm")
        where = ["scp:exp/dev/embedding.scp", f"exp/cm/{refit}", f"exp/{refit}_scores"]
        assert main(["cm-classifier-score", *where]) == 0
        scores = read_cm_scores(f"exp/{refit}_scores")
        is_bonafide = np.array([embeddings[utt] == "bonafide" for utt in scores.utt])
        np.testing.assert_array_equal(scores.values > 0, is_bonafide)
    assert read_run_costs("exp/cm")[0]["program"] == "cm-classifier-train"


def test_the_seed_is_no_list_and_no_option_of_a_choice(embeddings):
    options = ["--classifier", "forest", "--num-trees", "5,9", "--seed", "3"]
    assert main(["cm-classifier-train", *options, *SETS, "exp/cm"]) == 0


def test_options_that_cannot_be_are_refused(embeddings, capsys):
    train = ["cm-classifier-train", *SETS, "exp/cm"]
    assert main([*train, "--kernel", "rbf"]) == 1
    problem = "--kernel: --classifier logistic has no such option"
    assert problem in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*train, "--classifier", "svm", "--c", "1,0"])
    assert "expected a number above 0, got 0" in capsys.readouterr().err
