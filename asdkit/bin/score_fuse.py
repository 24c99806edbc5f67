"""Fuse scores of systems into log-likelihood ratios.

e.g.: asdkit score-fuse fusion.npz exp/a/scores exp/b/scores exp/fused_llrs

LLRs are natural logarithms.  Scores may be in any form that score-metrics takes.
Give the same systems, in the same order, and the same quality measures as to
calibration-train.
"""

from __future__ import annotations

import argparse

from asdkit.backends.measures import Measures, add_measures
from asdkit.base.options import options_of
from asdkit.base.outputs import OutputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_measures(parser)
    parser.add_argument("model", help="model from calibration-train (.npz)")
    parser.add_argument("scores", nargs="+", help="a file per system, of one list")
    parser.add_argument(
        "llrs",
        type=OutputFile,
        help="where to write <enroll> <test> <llr> lines; .npz: in binary",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.verification.calibration_inputs import calibrate

    measures = Measures(**options_of(Measures, args)).given
    calibrate(args.model, args.scores, measures, args.enroll_spk2utt, args.llrs)
