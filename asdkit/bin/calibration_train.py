r"""Train calibration or fusion of scores.

e.g.: asdkit calibration-train data/dev/trials exp/dev/scores calibration.npz
e.g.: asdkit calibration-train --duration data/dev/utt2dur data/dev/trials \
        exp/dev/ivector_scores exp/dev/resnet_scores fusion.npz

Logistic regression on the scores of one or more systems, in any form that score-metrics
takes, and on quality measures.  Use development trials: calibrating on the test trials
would flatter it.
"""

from __future__ import annotations

import argparse

from asdkit.backends.measures import Measures, add_measures
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    names = "p_target", "ridge"
    add_options(parser, "asdkit.backends.calibration:Calibration", *names)
    add_measures(parser)
    parser.add_argument("trials", help="<enroll> <test> target|nontarget per line")
    parser.add_argument("scores", nargs="+", help="a file per system, of any toolkit")
    parser.add_argument(
        "model", type=OutputFile, help="where to write the model (.npz)"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import numpy as np

    from asdkit.backends.calibration import Calibration
    from asdkit.io.store import save_model
    from asdkit.io.trials import read_trials
    from asdkit.verification.calibration_inputs import read_measures, read_systems

    trials = read_trials(args.trials)
    measures = Measures(**options_of(Measures, args)).given
    _, scores = read_systems(args.scores, trials, args.trials)
    quality = read_measures(measures, trials, args.trials, args.enroll_spk2utt)
    model = Calibration(**options_of(Calibration, args), measures=list(measures))
    save_model(args.model, model.fit(np.hstack([scores, quality]), trials.is_target))
