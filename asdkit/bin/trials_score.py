"""Score trials with a trained model, from the audio.

e.g.: asdkit trials-score model/ data/test data/test/trials exp/scores
e.g.: asdkit trials-score --backend exp/ivectors/plda.npz exp/extractor data/test \
        data/test/trials exp/scores

The model is whatever asdkit.load opens and compares speakers: a bundle, a network, an
i-vector extractor.  Utterances are embedded once, each as a recording of its own, with
the features, the VAD and the calibration of the model.
"""

from __future__ import annotations

import argparse

from asdkit.base.device import choose_device
from asdkit.base.options import add_options
from asdkit.base.outputs import OutputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.inference.loading:load", "backend", "calibration")
    add_options(parser, choose_device, "device")
    parser.add_argument("model", help="a model file, or a folder with one")
    parser.add_argument("data_dir", help="data directory with the audio")
    parser.add_argument("trials", help="<enroll> <test> target|nontarget per line")
    parser.add_argument(
        "scores", type=OutputFile, help="where to write <enroll> <test> <score> lines"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.inference.loading import load
    from asdkit.inference.trial_scores import score_trials

    options = {"backend": args.backend, "calibration": args.calibration}
    given = {name: value for name, value in options.items() if value}
    model = load(args.model, device=args.device, **given)
    score_trials(model, args.data_dir, args.trials, args.scores)
