"""Turn scores into log-likelihood ratios.

e.g.: asdkit score-calibrate calibration.npz exp/test/scores exp/test/llrs
e.g.: asdkit score-calibrate --duration data/test/utt2dur calibration.npz scores llrs

LLRs are natural logarithms.  Give the same quality measures as to calibration-train.
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
    parser.add_argument("scores", help="file of scores, as score-metrics takes it")
    parser.add_argument(
        "llrs",
        type=OutputFile,
        help="where to write <enroll> <test> <llr> lines; .npz: in binary",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.verification.calibration_inputs import calibrate

    measures = Measures(**options_of(Measures, args)).given
    calibrate(args.model, [args.scores], measures, args.enroll_spk2utt, args.llrs)
