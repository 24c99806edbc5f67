"""Compare asdkit with a Kaldi experiment, stage by stage, in a table.

e.g.: asdkit kaldi-parity --test voxceleb1_test --num-utts 20 kaldi/egs/voxceleb/v1

Every stage starts from Kaldi's own files, so that a difference is that stage's.
Places are relative to the experiment; of several, separated by commas, the first that
exists counts; {train} and {test} stand for the names of the data, {part} for either.
What is not found is said to be so.  The exit code is 1 if a stage differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asdkit.backends.lda import Lda
from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.posteriors import Aligner
from asdkit.report.kaldi_parity.experiment import HELPS, Experiment
from asdkit.report.kaldi_parity.report import report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, Experiment, **HELPS)
    add_options(
        parser,
        FrontEnd,
        delta_window="frames on each side of a derivative",
        delta_order="highest derivative; 0: none",
        cmn_window="frames of the window whose mean is subtracted; 0: none",
    )
    add_options(
        parser,
        Aligner,
        num_gselect="Gaussians per frame that the diagonal UBM chose",
        min_post="least posterior that was kept",
    )
    add_options(parser, Lda, total_covariance_factor="that LDA was trained with")
    parser.add_argument("expdir", type=Path, help="where the recipe ran")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    experiment = Experiment(
        args.expdir,
        **options_of(Experiment, args),
        frontend=FrontEnd(**options_of(FrontEnd, args)),
        alignment=options_of(Aligner, args),
        lda=options_of(Lda, args),
    )
    table, num_different = report(experiment)
    if num_different:
        sys.stdout.write(f"{table}\n")
        raise DataError(args.expdir, f"{num_different} rows of the table differ")
    return table
