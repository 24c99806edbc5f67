r"""Train a classical classifier that tells bona fide from spoofed embeddings.

e.g.: asdkit cm-classifier-train --classifier svm --c 0.1,1,5 --kernel linear,rbf \
        data/train/utt2attack scp:exp/stats/train/embedding.scp \
        data/dev/utt2attack scp:exp/stats/dev/embedding.scp exp/stats_svm

Options of classifiers take lists; all combinations are trained on the first set and
judged on the second.  Writes train/classifier.npz, the best of them, and
train_dev/classifier.npz, trained with its options on both sets; for the latter the
second set is no longer unseen.  cm-classifier-score takes either directory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.distributed import is_main
from asdkit.base.options import add_choice, add_options, choice_of, options_of
from asdkit.countermeasures.classifiers import CLASSIFIERS
from asdkit.countermeasures.embeddings import (
    read_labeled,
    save_classifier,
    train_classifier,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_choice(
        parser,
        "classifier",
        CLASSIFIERS,
        "which one",
        True,  # grids are lists
        c="weight of errors relative to the penalty",
        max_iter="iterations of the optimizer",
        kernel="what replaces the scalar product",
        num_neighbors="how many vote",
        impurity="what a split reduces",
        max_depth="of a tree",
        num_trees="how many",
        shrinkage="learning rate",
        num_rounds="number of trees",
        hidden_dim="units of the first hidden layer",
        second_dim="of the second; 0: there is none",
        activation="of hidden units",
        batch_size="utterances",
        alpha="weight of the squared penalty",
        max_epochs="it may end earlier",
    )
    add_options(
        parser,
        train_classifier,
        standardize="bring every dimension to mean 0 and variance 1 first",
        select="what is best on the development set: F1 of bona fide speech, or EER",
        seed="of classifiers that draw",
    )
    parser.add_argument("train_utt2attack", help="attacks, bonafide among them")
    parser.add_argument("train_vectors", help="rspecifier of their embeddings")
    parser.add_argument("dev_utt2attack", help="the same of the development set")
    parser.add_argument("dev_vectors", help="rspecifier of their embeddings")
    parser.add_argument("cm_dir", help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    given = argparse.Namespace(**vars(args))
    del given.seed  # there is one, and no list to choose from
    _, grid = choice_of(given, "classifier", CLASSIFIERS)
    models = train_classifier(
        args.classifier,
        grid,
        read_labeled(args.train_utt2attack, args.train_vectors),
        read_labeled(args.dev_utt2attack, args.dev_vectors),
        **options_of(train_classifier, args),
    )
    if is_main():
        for name, model in models.items():
            save_classifier(Path(args.cm_dir) / name / "classifier.npz", model)
