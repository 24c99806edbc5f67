import sys

import numpy as np
import pytest
from sklearn.metrics import f1_score as sklearn_f1

from asdkit.base.errors import AsdkitError, DataError, FitError
from asdkit.countermeasures import embeddings
from asdkit.countermeasures.embeddings import (
    EmbeddingCm,
    Labeled,
    f1_score,
    read_labeled,
    save_classifier,
    score_embeddings,
    train_classifier,
)
from asdkit.countermeasures.registry import CLASSIFIERS
from asdkit.io.ark import ArkWriter
from asdkit.io.store import describe, load_object
from asdkit.io.tables import write_table


def draw(rng, num_utts, noise=1.0):
    is_bonafide = np.arange(num_utts) % 3 == 0
    x = rng.normal(scale=noise, size=(num_utts, 4))
    x[:, 0] += 2 * is_bonafide
    return Labeled(x * [1, 1, 1, 100] + [0, 0, 7, 0], is_bonafide)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_file_scores_without_the_packages_that_trained(
    name, rng, tmp_path, monkeypatch
):
    if name == "xgboost":
        pytest.importorskip("xgboost")
    model = EmbeddingCm(name, standardize=True).fit(draw(rng, 90))
    x = draw(rng, 50).x
    expected = model.score(x)
    save_classifier(tmp_path / "classifier.npz", model)
    for package in ("sklearn", "xgboost"):
        monkeypatch.setitem(sys.modules, package, None)
    loaded = load_object(tmp_path / "classifier.npz", EmbeddingCm)
    np.testing.assert_array_equal(loaded.score(x), expected)
    options = describe(tmp_path / "classifier.npz")["options"]
    assert options["options"] == model.options
    assert options["num_parameters"] == model.classifier.num_parameters
    if name not in ("knn", "xgboost"):
        with pytest.raises(AsdkitError, match="sklearn is not installed"):
            loaded.fit(draw(rng, 9))


def test_a_file_that_lacks_an_array_is_damaged(rng, tmp_path):
    model = EmbeddingCm().fit(draw(rng, 30))
    del model.classifier.offset_
    save_classifier(tmp_path / "classifier.npz", model)
    with pytest.raises(DataError, match=r"it lacks 'classifier\.offset_'"):
        load_object(tmp_path / "classifier.npz", EmbeddingCm)


def test_a_constant_dimension_is_not_scaled_by_its_rounding(rng, caplog):
    data = draw(rng, 90)
    x = np.insert(data.x, 1, 0.1, axis=1)
    assert x[:, 1].std() > 0  # of the mean
    model = EmbeddingCm("svm", standardize=True).fit(data._replace(x=x))
    assert "1 of 5 dimensions do not vary" in caplog.text
    assert model.scale_[1] == 1.0


def test_standardized_embeddings_may_have_any_scale(rng):
    data, new = draw(rng, 60), draw(rng, 20).x
    data.x[:, 1] = new[:, 1] = 3.0  # a dimension that says nothing
    scores = EmbeddingCm("svm", standardize=True).fit(data).score(new)
    scale = np.array([5, 1, 0.1, 1e3])
    other = EmbeddingCm("svm", standardize=True).fit(data._replace(x=data.x * scale))
    np.testing.assert_allclose(other.score(new * scale), scores, rtol=1e-6)
    raw = EmbeddingCm("svm").fit(data._replace(x=data.x * scale)).score(new * scale)
    assert not np.allclose(raw, scores)


def test_blocks_change_nothing(rng, monkeypatch):
    model, x = EmbeddingCm("knn").fit(draw(rng, 60)), draw(rng, 25).x
    expected = model.score(x)
    monkeypatch.setattr(embeddings, "BLOCK", 7)
    np.testing.assert_array_equal(model.score(x), expected)
    assert model.score(x[:0]).shape == (0,)


@pytest.mark.parametrize("select", ["f1", "eer"])
def test_the_best_on_dev_wins_and_dev_is_not_trained_on(select, rng):
    train, dev = draw(rng, 60, noise=2), draw(rng, 150, noise=2)
    grid = {"c": [0.01, 1.0, 100.0], "kernel": ["linear", "rbf"]}
    found = train_classifier("svm", grid, train, dev, True, select)
    merits = {}
    for c in grid["c"]:
        for kernel in grid["kernel"]:
            options = {"c": c, "kernel": kernel}
            scores = EmbeddingCm("svm", options, True).fit(train).score(dev.x)
            bonafide, spoof = scores[dev.is_bonafide], scores[~dev.is_bonafide]
            merits[c, kernel] = (
                sklearn_f1(dev.is_bonafide, scores > 0)
                if select == "f1"
                else -embeddings.eer(bonafide, spoof)
            )
    best = max(merits, key=merits.get)  # the first of equal ones
    assert min(merits.values()) < max(merits.values())
    options = dict(zip(grid, best, strict=True))
    assert found["train"].options == found["train_dev"].options == options

    new = draw(rng, 20).x
    expected = EmbeddingCm("svm", options, True).fit(train).score(new)
    np.testing.assert_allclose(found["train"].score(new), expected)
    both = Labeled(
        np.concatenate([train.x, dev.x]),
        np.concatenate([train.is_bonafide, dev.is_bonafide]),
    )
    expected = EmbeddingCm("svm", options, True).fit(both).score(new)
    np.testing.assert_allclose(found["train_dev"].score(new), expected)


def test_the_seed_is_for_those_that_draw(rng):
    train, dev = draw(rng, 30), draw(rng, 30)
    found = train_classifier("forest", {}, train, dev, seed=5)
    assert found["train_dev"].options == {"num_trees": 75, "seed": 5}
    assert train_classifier("knn", {}, train, dev, seed=5)["train"].options == {
        "num_neighbors": 3
    }


def test_f1_is_scikit_learn_s(rng):
    decided, is_bonafide = rng.random((2, 50)) < 0.3
    assert f1_score(decided, is_bonafide) == sklearn_f1(is_bonafide, decided)
    assert f1_score(~is_bonafide, is_bonafide) == 0


def test_a_set_of_one_class_or_of_another_dimension_is_refused(rng):
    good = draw(rng, 12)
    spoofed = good._replace(is_bonafide=np.zeros(12, dtype=bool))
    with pytest.raises(FitError, match="got 0 and 12"):
        train_classifier("knn", {}, spoofed, good)
    with pytest.raises(FitError, match="development set lacks bona fide or spoofed"):
        train_classifier("knn", {}, good, spoofed)
    with pytest.raises(FitError, match="got 4 and 3 dimensions"):
        train_classifier("knn", {}, good, good._replace(x=good.x[:, 1:]))


@pytest.fixture
def stored(rng, tmp_path, monkeypatch):
    """Twelve utterances with embeddings and attacks."""
    monkeypatch.chdir(tmp_path)
    data = draw(rng, 12)
    utts = [f"u{n:02d}" for n in range(12)]
    with ArkWriter("exp", "embedding") as writer:
        for utt, vector in zip(utts, data.x, strict=True):
            writer[utt] = vector
    attacks = np.where(data.is_bonafide, "bonafide", "A01")
    write_table("data/utt2attack", dict(zip(utts, attacks, strict=True)))
    return data


def test_embeddings_find_their_attacks(stored):
    found = read_labeled("data/utt2attack", "scp:exp/embedding.scp")
    np.testing.assert_allclose(found.x, stored.x, rtol=1e-6)
    np.testing.assert_array_equal(found.is_bonafide, stored.is_bonafide)
    write_table("data/utt2attack", {"u00": "bonafide", "u01": "A01"})
    with pytest.raises(DataError, match=r"only 2 of its .* \(10 without an attack"):
        read_labeled("data/utt2attack", "scp:exp/embedding.scp")


def test_a_file_and_an_archive_give_scores(stored):
    model = EmbeddingCm("naive_bayes").fit(stored)
    save_classifier("exp/classifier.npz", model)
    utts, scores = score_embeddings("scp:exp/embedding.scp", "exp/classifier.npz")
    assert utts == [f"u{n:02d}" for n in range(12)]
    np.testing.assert_allclose(scores, model.score(stored.x), rtol=1e-4)


def test_what_does_not_fit_the_model_is_refused(stored):
    model = EmbeddingCm().fit(stored._replace(x=stored.x[:, :3]))
    save_classifier("exp/classifier.npz", model)
    with pytest.raises(DataError, match="expected vectors of 3 dimensions"):
        score_embeddings("scp:exp/embedding.scp", "exp/classifier.npz")
    model.fit(stored).classifier.offset_ = np.nan
    save_classifier("exp/classifier.npz", model)
    with pytest.raises(DataError, match="its score of 'u00' is nan"):
        score_embeddings("scp:exp/embedding.scp", "exp/classifier.npz")
