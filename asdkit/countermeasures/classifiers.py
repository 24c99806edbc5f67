"""Classical classifiers of embeddings: fitted by scikit-learn, scored by numpy.

What fitting leaves are arrays, those of the formulas below, so that a model file holds
no pickle and a score needs neither scikit-learn nor XGBoost, nor the version that the
model was fitted with.  Higher scores mean bona fide, positive ones decide for it.

Defaults are the settings that the authors ended with.  Their grids had two more
options, which change nothing: probabilities of the SVM, a monotonic function of its
scores, and the schedule of the learning rate, which the MLP's optimizer does not read.

Source: S. Saha, M. Sahidullah, S. Das, "Exploring green AI for audio deepfake
detection", EUSIPCO 2024, and the authors' code; XGBoost for its trees.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from asdkit.base.packages import require
from asdkit.base.ranges import Count, Natural, NonNegative, Positive
from asdkit.countermeasures.trees import Trees, join_trees, read_booster

logger = logging.getLogger(__name__)
CURE = "pip install 'asdkit[green]'"


class Classifier:
    """Tell bona fide from spoofed embeddings."""

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> Classifier:
        """Learn from (U, D) embeddings and (U,) bool, both classes among them.

        Raises:
            AsdkitError: it takes a package that is not installed.
        """
        raise NotImplementedError

    def score(self, x: np.ndarray) -> np.ndarray:
        """(N, D) embeddings -> (N,) scores; above 0 it is bona fide speech."""
        raise NotImplementedError

    @property
    def num_parameters(self) -> int:
        """Number of values kept for scoring."""
        return sum(np.size(x) for name, x in vars(self).items() if name.endswith("_"))


class Logistic(Classifier):
    """Logistic regression with a squared penalty; scores are log odds.

    Args:
        c: inverse regularization strength: weight of training errors.
        max_iter: maximum number of L-BFGS iterations; without scaled embeddings it may
            need more.

    Attributes:
        weights_: (D,).
        offset_: ().
    """

    weights_: np.ndarray
    offset_: np.ndarray

    def __init__(self, c: Positive = 5.0, max_iter: Count = 100) -> None:
        self.c = c
        self.max_iter = max_iter

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> Logistic:
        """See `Classifier.fit`."""
        model = _sklearn("linear_model").LogisticRegression(
            C=self.c, max_iter=self.max_iter
        )
        with _told():
            model.fit(x, is_bonafide)
        self.weights_, self.offset_ = model.coef_[0], model.intercept_[0]
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        return x @ self.weights_ + self.offset_


class Svm(Classifier):
    """Support vector machine; scores are distances in units of the margin.

    Args:
        c: inverse regularization strength: weight of training errors.
        kernel: kernel of the SVM, scaled by the variance of all embeddings.

    Attributes:
        vectors_: (S, D) support vectors; for the linear kernel (1, D), their sum.
        duals_: (S,) their weights.
        offset_: ().
        gamma_: () scale of the kernel.
    """

    vectors_: np.ndarray
    duals_: np.ndarray
    offset_: np.ndarray
    gamma_: np.ndarray

    def __init__(
        self,
        c: Positive = 10.0,
        kernel: Literal["linear", "poly", "rbf", "sigmoid"] = "linear",
    ) -> None:
        self.c = c
        self.kernel = kernel

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> Svm:
        """See `Classifier.fit`."""
        gamma = 1 / (x.shape[1] * x.var()) if x.var() else 1.0
        model = _sklearn("svm").SVC(C=self.c, kernel=self.kernel, gamma=gamma)
        with _told():
            model.fit(x, is_bonafide)
        self.vectors_, self.duals_ = model.support_vectors_, model.dual_coef_[0]
        self.offset_, self.gamma_ = model.intercept_[0], np.array(gamma)
        if self.kernel == "linear":
            self.vectors_, self.duals_ = model.coef_, np.ones(1)
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        return self._kernel(x) @ self.duals_ + self.offset_

    def _kernel(self, x: np.ndarray) -> np.ndarray:
        """(N, D) -> (N, S)."""
        if self.kernel == "rbf":
            return np.exp(-self.gamma_ * squared_distances(x, self.vectors_))
        products = x @ self.vectors_.T
        if self.kernel == "poly":
            return (self.gamma_ * products) ** 3
        return np.tanh(self.gamma_ * products) if self.kernel == "sigmoid" else products

    @property
    def num_parameters(self) -> int:
        """D + 1 of the linear kernel; else all that is kept."""
        linear = self.kernel == "linear"
        return self.vectors_.size + 1 if linear else super().num_parameters


class NearestNeighbors(Classifier):
    """Share of bona fide neighbors among the nearest training embeddings, minus half.

    Scores have few values.  Fitting needs no package.

    Args:
        num_neighbors: number of neighbors (k); odd, to avoid ties.

    Attributes:
        vectors_: (U, D) all embeddings of the training.
        is_bonafide_: (U,) bool.
    """

    vectors_: np.ndarray
    is_bonafide_: np.ndarray

    def __init__(self, num_neighbors: Count = 3) -> None:
        self.num_neighbors = num_neighbors

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> NearestNeighbors:
        """See `Classifier.fit`."""
        self.vectors_, self.is_bonafide_ = x, np.asarray(is_bonafide, dtype=bool)
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        last = min(self.num_neighbors, len(self.vectors_)) - 1
        distances = squared_distances(x, self.vectors_)
        nearest = np.argpartition(distances, last, axis=1)[:, : last + 1]  # (N, k)
        return self.is_bonafide_[nearest].mean(axis=1) - 0.5


class NaiveBayes(Classifier):
    """Two Gaussians of independent dimensions; scores are log odds.

    Attributes:
        means_: (2, D) of spoofed and of bona fide speech.
        vars_: (2, D).
        priors_: (2,).
    """

    means_: np.ndarray
    vars_: np.ndarray
    priors_: np.ndarray

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> NaiveBayes:
        """See `Classifier.fit`."""
        model = _sklearn("naive_bayes").GaussianNB().fit(x, is_bonafide)
        self.means_, self.vars_ = model.theta_, model.var_
        self.priors_ = model.class_prior_
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        spoof, bonafide = (
            np.log(prior) - (np.log(var) + (x - mean) ** 2 / var).sum(axis=1) / 2
            for prior, mean, var in zip(
                self.priors_, self.means_, self.vars_, strict=True
            )
        )
        return bonafide - spoof


class DecisionTree(Trees, Classifier):
    """One tree; scores are the share of bona fide speech in a leaf, minus half.

    Args:
        impurity: impurity measure that splits minimize.
        max_depth: maximum depth of a tree.
        seed: random seed for the order in which equally good splits are tried.
    """

    def __init__(
        self,
        impurity: Literal["entropy", "gini"] = "entropy",
        max_depth: Count = 15,
        seed: Natural = 0,
    ) -> None:
        self.impurity = impurity
        self.max_depth = max_depth
        self.seed = seed

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> DecisionTree:
        """See `Classifier.fit`."""
        model = _sklearn("tree").DecisionTreeClassifier(
            criterion=self.impurity, max_depth=self.max_depth, random_state=self.seed
        )
        self.keep(join_trees([model.fit(x, is_bonafide).tree_]))
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        return self.leaves(x)[:, 0] - 0.5


class RandomForest(Trees, Classifier):
    """Trees of random parts of the data; scores are mean shares, minus half.

    Args:
        num_trees: number of trees.
        seed: random seed for the parts of the data.
    """

    def __init__(self, num_trees: Count = 75, seed: Natural = 0) -> None:
        self.num_trees = num_trees
        self.seed = seed

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> RandomForest:
        """See `Classifier.fit`."""
        model = _sklearn("ensemble").RandomForestClassifier(
            n_estimators=self.num_trees, random_state=self.seed
        )
        model.fit(x, is_bonafide)
        self.keep(join_trees([tree.tree_ for tree in model.estimators_]))
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        return self.leaves(x).mean(axis=1) - 0.5


class XgBoost(Trees, Classifier):
    """Gradient-boosted trees; scores are log odds.

    Args:
        max_depth: maximum depth of a tree.
        shrinkage: learning rate.
        num_rounds: number of trees.

    Attributes:
        offset_: () what the leaves are added to.
    """

    offset_: np.ndarray

    def __init__(
        self,
        max_depth: Count = 5,
        shrinkage: Positive = 0.1,
        num_rounds: Count = 100,
    ) -> None:
        self.max_depth = max_depth
        self.shrinkage = shrinkage
        self.num_rounds = num_rounds

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> XgBoost:
        """See `Classifier.fit`."""
        xgboost = require("xgboost", "pip install xgboost-cpu, or xgboost")
        options = {
            "objective": "binary:logistic",
            "max_depth": self.max_depth,
            "eta": self.shrinkage,
            "nthread": 1,
        }
        data = xgboost.DMatrix(x, label=is_bonafide)
        booster = xgboost.train(options, data, self.num_rounds)
        self.keep(read_booster(booster.save_raw("json")))
        # Versions write this number in different ways, but all add it.
        margins = booster.predict(data, output_margin=True)
        self.offset_ = np.zeros(())
        self.offset_ = np.array(np.median(margins - self.score(x)))
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        return self.leaves(x).sum(axis=1, dtype=np.float64) + self.offset_


class Mlp(Classifier):
    """A network of one or two hidden layers; scores are log odds.

    Args:
        hidden_dim: units of the first hidden layer.
        second_dim: units of the second hidden layer; 0: none.
        activation: activation function of the hidden units.
        batch_size: utterances per batch.
        alpha: weight of the squared penalty.
        max_epochs: maximum number of epochs; training stops early once the loss stops
            falling.
        seed: random seed for the initial weights and the batches.
    """

    def __init__(
        self,
        hidden_dim: Count = 100,
        second_dim: Natural = 0,
        activation: Literal["tanh", "relu"] = "tanh",
        batch_size: Count = 64,
        alpha: NonNegative = 1e-4,
        max_epochs: Count = 200,
        seed: Natural = 0,
    ) -> None:
        self.hidden_dim = hidden_dim
        self.second_dim = second_dim
        self.activation = activation
        self.batch_size = batch_size
        self.alpha = alpha
        self.max_epochs = max_epochs
        self.seed = seed

    def fit(self, x: np.ndarray, is_bonafide: np.ndarray) -> Mlp:
        """See `Classifier.fit`."""
        model = _sklearn("neural_network").MLPClassifier(
            hidden_layer_sizes=[n for n in (self.hidden_dim, self.second_dim) if n],
            activation=self.activation,
            batch_size=min(self.batch_size, len(x)),
            alpha=self.alpha,
            max_iter=self.max_epochs,
            random_state=self.seed,
        )
        with _told():
            model.fit(x, is_bonafide)
        for n, (weights, offsets) in enumerate(
            zip(model.coefs_, model.intercepts_, strict=True)
        ):
            setattr(self, f"weights{n}_", weights)
            setattr(self, f"offsets{n}_", offsets)
        return self

    def score(self, x: np.ndarray) -> np.ndarray:
        """See `Classifier.score`."""
        num_layers = 3 if self.second_dim else 2
        for n in range(num_layers):
            if n:
                x = np.tanh(x) if self.activation == "tanh" else np.maximum(x, 0)
            x = x @ getattr(self, f"weights{n}_") + getattr(self, f"offsets{n}_")
        return x[:, 0]


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, D) and (M, D) -> (N, M), never below 0."""
    norms = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)
    return np.maximum(norms - 2 * x @ y.T, 0)


def _sklearn(module: str) -> Any:
    """Import a part of scikit-learn."""
    require("sklearn", CURE)
    return importlib.import_module(f"sklearn.{module}")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Log scikit-learn's warnings, their first lines."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    for warning in found:
        logger.warning("classifier: %s", str(warning.message).partition("\n")[0])
