"""cm-classifier-score writes a score for every embedding, or nothing."""

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.countermeasures.embeddings import EmbeddingCm
from asdkit.io.ark import ArkWriter
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.store import load_object
from asdkit.io.tables import write_table


def write_vectors(folder, vectors):
    with ArkWriter(folder, "embedding") as writer:
        for utt, x in vectors.items():
            writer[utt] = x


@pytest.fixture
def trained(tmp_path, rng, monkeypatch):
    """A classifier of 5 numbers, which are larger where speech is bona fide."""
    monkeypatch.chdir(tmp_path)
    attacks = {f"u{n:02d}": ("A01", "bonafide")[n % 2] for n in range(40)}
    vectors = {
        utt: rng.normal(attack == "bonafide", size=5) for utt, attack in attacks.items()
    }
    write_table("utt2attack", attacks)
    write_vectors("exp", vectors)
    sets = 2 * ["utt2attack", "scp:exp/embedding.scp"]
    assert main(["cm-classifier-train", "--c", "0.5", *sets, "exp/cm"]) == 0
    return {utt: x.astype("f4") for utt, x in vectors.items()}


def test_scores_are_those_of_the_classifier(trained):
    model = load_object("exp/cm/train/classifier.npz", EmbeddingCm)
    expected = model.score(np.stack([*trained.values()]))
    for vectors in ("scp:exp/embedding.scp", "ark:exp/embedding.ark"):
        score = ["cm-classifier-score", vectors, "exp/cm/train", "scores"]
        assert main(score) == 0
        found = read_cm_scores("scores")
        assert list(found.utt) == list(trained)
        np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "value", "message"),
    [
        (4, 0.0, "classifier.npz takes, got 4"),
        (5, np.nan, "'u' holds NaN or infinity"),
        (5, np.inf, "'u' holds NaN or infinity"),
    ],
)
def test_vectors_that_cannot_be_leave_no_scores(
    trained, tmp_path, capsys, damaged, size, value, message
):
    write_vectors("bad", {"u": np.full(size, value, "f4")})
    score = ["cm-classifier-score", "scp:bad/embedding.scp", "exp/cm/train", "scores"]
    assert main(score) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "scores").exists()


def test_a_folder_without_a_model_is_one_line(trained, capsys):
    where = ["scp:exp/embedding.scp", "exp", "exp/scores"]
    assert main(["cm-classifier-score", *where]) == 1
    assert "exp/classifier.npz: no such model file" in capsys.readouterr().err
