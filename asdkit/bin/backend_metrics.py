r"""Print EER and detection costs of all pairs of utterances.

e.g.: asdkit backend-metrics backend.npz data/test/utt2spk scp:exp/ivector.scp
e.g.: asdkit backend-metrics --within data/test/spk2gender \
        --cohort scp:exp/train.scp --cohort-utt2spk data/train/utt2spk \
        backend.npz data/test/utt2spk scp:exp/test.scp

The trials are all unordered pairs of different utterances, as trials-make lists them.
They are scored tile by tile and neither written nor kept, so that a billion take little
memory; the numbers are those of score-metrics, exactly.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.options import add_options, options_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.verification.all_pairs:all_pairs_metrics",
        *("within", "cohort", "cohort_utt2spk", "num_top"),
    )
    parser.add_argument("backend", help="back-end from backend-train (.npz)")
    parser.add_argument("utt2spk", help="speakers of the utterances")
    parser.add_argument("vectors", help="rspecifier, e.g. scp:exp/ivector.scp")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.verification.all_pairs import all_pairs_metrics

    inputs = args.backend, args.utt2spk, args.vectors
    return all_pairs_metrics(*inputs, **options_of(all_pairs_metrics, args))
