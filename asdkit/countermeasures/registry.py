"""Embedding classifiers and spoof localizers by name."""

from __future__ import annotations

from collections.abc import Mapping

from asdkit.base.references import Reference

CLASSIFIERS: Mapping[str, Reference] = {
    "logistic": Reference("asdkit.countermeasures.classifiers:Logistic"),
    "svm": Reference("asdkit.countermeasures.classifiers:Svm"),
    "knn": Reference("asdkit.countermeasures.classifiers:NearestNeighbors"),
    "naive_bayes": Reference("asdkit.countermeasures.classifiers:NaiveBayes"),
    "tree": Reference("asdkit.countermeasures.classifiers:DecisionTree"),
    "forest": Reference("asdkit.countermeasures.classifiers:RandomForest"),
    "xgboost": Reference("asdkit.countermeasures.classifiers:XgBoost"),
    "mlp": Reference("asdkit.countermeasures.classifiers:Mlp"),
}

LOCALIZERS: Mapping[str, Reference] = {
    "fsa": Reference("asdkit.countermeasures.localization:FsaLocalizer"),
    "median": Reference("asdkit.countermeasures.localization:MedianLocalizer"),
    "threshold": Reference("asdkit.countermeasures.localization:ThresholdLocalizer"),
}
