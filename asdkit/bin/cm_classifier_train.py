r"""Train a classical spoofing classifier of embeddings.

e.g.: asdkit cm-classifier-train --classifier svm --c 0.1,1,5 --kernel linear,rbf \
        data/train/utt2attack scp:exp/stats/train/embedding.scp \
        data/dev/utt2attack scp:exp/stats/dev/embedding.scp exp/stats_svm

Options of classifiers take lists; all combinations are trained on the first set and
compared on the second.  Writes train/classifier.npz, the best of them, and
train_dev/classifier.npz, trained with its options on both sets, so that the second set
is no longer unseen.  cm-classifier-score takes either directory.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.options import add_choice, add_options, choice_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.countermeasures.registry import CLASSIFIERS

OPTIONS = (
    "c",
    "max_iter",
    "kernel",
    "num_neighbors",
    "impurity",
    "max_depth",
    "num_trees",
    "shrinkage",
    "num_rounds",
    "hidden_dim",
    "second_dim",
    "activation",
    "batch_size",
    "alpha",
    "max_epochs",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    text = "the classifier"
    add_choice(parser, "classifier", CLASSIFIERS, text, *OPTIONS, listed=True)
    add_options(
        parser,
        "asdkit.countermeasures.embeddings:train_classifier",
        "standardize",
        "select",
        "seed",
    )
    parser.add_argument("train_utt2attack", help="utt2attack of the training set")
    parser.add_argument("train_vectors", help="rspecifier of training embeddings")
    parser.add_argument("dev_utt2attack", help="utt2attack of the development set")
    parser.add_argument("dev_vectors", help="rspecifier of development embeddings")
    parser.add_argument("cm_dir", type=OutputDir, help="where to write the classifiers")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.distributed import is_main
    from asdkit.countermeasures.embeddings import (
        read_labeled,
        save_classifier,
        train_classifier,
    )

    _, grid = choice_of(args, "classifier", CLASSIFIERS)
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
