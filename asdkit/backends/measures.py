"""Quality measures by name, and the options that locate them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from asdkit.base.options import add_options
from asdkit.base.ranges import FilePath, Rspecifier

MEASURES = ("duration", "magnitude", "cohort_mean")


@dataclass(frozen=True)
class Measures:
    """Locations of the quality measures of a calibration.

    Args:
        duration: duration of every utterance, e.g. data/test/utt2dur; seconds or
            frames, but the same unit in training and use; None: not used.
        magnitude: embeddings (an rspecifier, e.g. scp:exp/embedding.scp), whose norms
            reflect the network's confidence; None: not used.
        cohort_mean: mean score against a cohort, from score-normalize --cohort-means;
            None: not used.
        enroll_spk2utt: utterances of every enrolled model, to average measures over
            where a model has none; None: a model is an utterance.
    """

    duration: FilePath | None = None
    magnitude: Rspecifier | None = None
    cohort_mean: FilePath | None = None
    enroll_spk2utt: FilePath | None = None

    @property
    def given(self) -> dict[str, str]:
        """The measures that are used: name, one of `MEASURES`, -> file."""
        named = {name: getattr(self, name) for name in MEASURES}
        return {name: source for name, source in named.items() if source}


def add_measures(parser: argparse.ArgumentParser) -> None:
    """Give a program an option for every quality measure."""
    add_options(parser.add_argument_group("quality measures"), Measures)
