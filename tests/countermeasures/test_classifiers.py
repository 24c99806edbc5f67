"""Our scores beside those of the libraries that fitted the models."""

import logging

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from asdkit.countermeasures.classifiers import (
    DecisionTree,
    Logistic,
    Mlp,
    NaiveBayes,
    NearestNeighbors,
    RandomForest,
    Svm,
    XgBoost,
    squared_distances,
)
from asdkit.countermeasures.registry import CLASSIFIERS


@pytest.fixture
def data(rng):
    """Embeddings that no line separates, float32 as they are stored."""
    x = rng.normal(1.0, 2.0, size=(300, 6)).astype(np.float32).astype(np.float64)
    logits = x[:, 0] - x[:, 1] + x[:, 2] ** 2 / 2 - 2 + rng.normal(size=300)
    return x[:200], logits[:200] > 0, x[200:]


def log_odds(model, x):
    shares = model.predict_log_proba(x)
    return shares[:, 1] - shares[:, 0]


def share(model, x):
    return model.predict_proba(x)[:, 1] - 0.5


SAME = {
    "logistic": (Logistic(c=0.5), LogisticRegression(C=0.5), "decision"),
    "knn": (NearestNeighbors(5), KNeighborsClassifier(5), share),
    "naive_bayes": (NaiveBayes(), GaussianNB(), log_odds),
    "tree": (
        DecisionTree(max_depth=4, seed=3),
        DecisionTreeClassifier(criterion="entropy", max_depth=4, random_state=3),
        share,
    ),
    "forest": (
        RandomForest(num_trees=20, seed=3),
        RandomForestClassifier(n_estimators=20, random_state=3),
        share,
    ),
    "mlp": (
        Mlp(hidden_dim=7, max_epochs=20, seed=3),
        MLPClassifier([7], "tanh", batch_size=64, max_iter=20, random_state=3),
        log_odds,
    ),
    "mlp of two layers": (
        Mlp(hidden_dim=7, second_dim=5, activation="relu", max_epochs=20),
        MLPClassifier([7, 5], "relu", batch_size=64, max_iter=20, random_state=0),
        log_odds,
    ),
    **{
        f"{kernel} svm": (Svm(2.0, kernel), SVC(C=2.0, kernel=kernel), "decision")
        for kernel in ("linear", "poly", "rbf", "sigmoid")
    },
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", SAME)
def test_scores_are_scikit_learn_s(name, data):
    x, is_bonafide, new = data
    ours, theirs, score = SAME[name]
    scores = ours.fit(x, is_bonafide).score(new)
    theirs.fit(x, is_bonafide)
    expected = theirs.decision_function if score == "decision" else score
    found = expected(new) if score == "decision" else expected(theirs, new)
    np.testing.assert_allclose(scores, found, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(scores > 0, theirs.predict(new))
    assert 0 < (scores > 0).mean() < 1


def test_scores_are_xgboost_s(data):
    xgboost = pytest.importorskip("xgboost")
    x, is_bonafide, new = data
    ours = XgBoost(max_depth=3, shrinkage=0.3, num_rounds=20)
    scores = ours.fit(x, is_bonafide).score(new)
    theirs = xgboost.XGBClassifier(max_depth=3, learning_rate=0.3, n_estimators=20)
    theirs.fit(x, is_bonafide)
    margins = theirs.predict(new, output_margin=True)
    np.testing.assert_allclose(scores, margins, rtol=1e-5, atol=1e-5)


def test_what_stands_on_a_threshold_goes_where_xgboost_sends_it(rng):
    """Thresholds of whole numbers are whole numbers."""
    xgboost = pytest.importorskip("xgboost")
    x = rng.integers(0, 4, size=(400, 3)).astype(float)
    is_bonafide = x.sum(axis=1) + rng.integers(0, 2, size=400) > 4
    scores = XgBoost(num_rounds=10).fit(x, is_bonafide).score(x)
    theirs = xgboost.XGBClassifier(max_depth=5, learning_rate=0.1, n_estimators=10)
    margins = theirs.fit(x, is_bonafide).predict(x, output_margin=True)
    np.testing.assert_allclose(scores, margins, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("logistic", 769),
        ("svm", 769),
        ("naive_bayes", 3074),
        ("mlp", 77_001),
        ("knn", 20 * 769),
    ],
)
def test_parameters_for_768_dimensions_are_those_of_the_paper(name, count, rng):
    x = rng.normal(size=(20, 768))
    model = CLASSIFIERS[name]().fit(x, np.arange(20) % 2 == 0)
    assert model.num_parameters == count


def test_support_vectors_of_other_kernels_count(data):
    x, is_bonafide, _ = data
    model = Svm(kernel="rbf").fit(x, is_bonafide)
    expected = len(SVC(C=10).fit(x, is_bonafide).support_) * (6 + 1) + 2
    assert model.num_parameters == expected


@pytest.mark.parametrize("name", ["tree", "forest", "mlp"])
def test_a_seed_gives_one_model(name, data):
    x, is_bonafide, new = data
    scores = [
        CLASSIFIERS[name](seed=seed).fit(x, is_bonafide).score(new)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert name == "tree" or np.any(scores[0] != scores[2])


def test_what_has_not_converged_is_told(data, caplog, recwarn):
    caplog.set_level(logging.WARNING)
    Logistic(max_iter=1).fit(data[0], data[1])
    assert "failed to converge after 1 iteration" in caplog.text
    assert not recwarn.list


def test_embeddings_that_are_all_the_same_can_be_fitted():
    scores = Svm().fit(np.ones((6, 3)), np.arange(6) % 2 == 0).score(np.ones((2, 3)))
    assert np.isfinite(scores).all()


def test_distances_are_those_of_the_definition(rng):
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    expected = ((x[:, None] - y) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(x, y), expected)
    assert squared_distances(1e8 + x, 1e8 + x).min() >= 0
