"""Compare asdkit with a Kaldi experiment, stage by stage.

e.g.: asdkit kaldi-parity --test voxceleb1_test --num-utts 20 kaldi/egs/voxceleb/v1

Every stage starts from Kaldi's own files, so that a difference belongs to that stage.
Locations are relative to the experiment; of several, separated by commas, the first
that exists counts; {train} and {test} stand for the names of the data, {part} for
either.  Missing parts are listed.  The exit code is 1 if a stage differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asdkit.base.answers import Answer, as_json, as_text
from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of

PLACES = (
    *("train", "test", "conf", "data", "feats", "vad", "diag_ubm", "full_ubm"),
    *("extractor", "ivectors", "backend", "trials", "plda_scores", "adapted_scores"),
    *("cosine_scores", "xvector_net", "xvector_feats", "xvectors", "xvector_backend"),
    *("xvector_scores", "xvector_adapted_scores", "num_utts", "allow_pipes"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    experiment = "asdkit.kaldi.parity.experiment:Experiment"
    add_options(parser, experiment, *PLACES)
    kaldi = parser.add_argument_group("options that Kaldi's programs were given")
    add_options(kaldi, experiment, "within_covar_scale", "between_covar_scale")
    front_end = "delta_window", "delta_order", "cmn_window"
    add_options(kaldi, "asdkit.features.frontend:FrontEnd", *front_end)
    add_options(kaldi, "asdkit.gmm.aligner:Aligner", "num_gselect", "min_post")
    add_options(kaldi, "asdkit.backends.lda:Lda", "total_covariance_factor")
    parser.add_argument("expdir", type=Path, help="where the recipe ran")


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    from asdkit.backends.lda import Lda
    from asdkit.features.frontend import FrontEnd
    from asdkit.gmm.aligner import Aligner
    from asdkit.kaldi.parity.experiment import Experiment
    from asdkit.kaldi.parity.stages import report

    experiment = Experiment(
        args.expdir,
        **options_of(Experiment, args),
        frontend=FrontEnd(**options_of(FrontEnd, args)),
        alignment=options_of(Aligner, args),
        lda=options_of(Lda, args),
    )
    tables, num_different = report(experiment)
    if num_different:
        shown = as_json(tables) if args.json else as_text(tables)
        sys.stdout.write(f"{shown}\n")
        raise DataError(args.expdir, f"{num_different} rows of the table differ")
    return tables
