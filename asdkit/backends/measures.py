"""Quality measures by name, and the options that locate them."""

from __future__ import annotations

import argparse

MEASURES = {
    "duration": "duration of every utterance, e.g. data/test/utt2dur; seconds or "
    "frames, but the same unit in training and use",
    "magnitude": "embeddings (an rspecifier, e.g. scp:exp/embedding.scp), whose norms "
    "reflect the network's confidence",
    "cohort_mean": "mean score against a cohort, from score-normalize --cohort-means",
}


def add_measures(parser: argparse.ArgumentParser) -> None:
    """Give a program an option for every quality measure."""
    group = parser.add_argument_group("quality measures")
    for name, text in MEASURES.items():
        metavar = "RSPECIFIER" if name == "magnitude" else "FILE"
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, metavar=metavar, help=f"{text} (default: not used)")
    group.add_argument(
        "--enroll-spk2utt",
        metavar="FILE",
        help="utterances of every enrolled model, to average measures over where a "
        "model has none (default: a model is an utterance)",
    )


def measures_of(args: argparse.Namespace) -> dict[str, str]:
    """Collect the quality measures that were given: name -> file."""
    given = {name: getattr(args, name) for name in MEASURES}
    return {name: source for name, source in given.items() if source}
