r"""Make a directory that verify, detect and enroll use.

e.g.: asdkit bundle-make --backend exp/net/cosine.npz --calibration exp/cal.npz \
        --cm exp/cm --cm-key data/dev_spoof/utt2attack --cm-scores exp/cm/dev_scores \
        --licence CC-BY-4.0 --data "speechocean762, 85 speakers" exp/net model/

Holds ONNX graphs with their front ends, back-end, cohort, calibrations, prior and
costs, a threshold card, and checksums; nothing in it can be executed.  The card's
trials must be of speakers that neither trained nor calibrated the models.  A model
that is a countermeasure itself makes a bundle that only detects.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir
from asdkit.base.parsing import parsing_of
from asdkit.base.plugins import add_plugins
from asdkit.base.ranges import Probability

MAKE = "asdkit.inference.bundling:make_bundle"
COSTS = "asdkit.metrics.decision_costs:DecisionCosts"
NAMES = "num_top", "min_speech_sec", "card_recordings", "int8", "licence", "data"
FILES = {
    "backend": ("FILE", "back-end that compares embeddings (default: their cosine)"),
    "cohort": ("RSPECIFIER", "embeddings to normalize scores with (default: none)"),
    "cohort-utt2spk": ("FILE", "speakers to average the cohort by (default: none)"),
    "calibration": ("FILE", "calibration of the scores (default: no decisions)"),
    "calibration-utt2spk": ("FILE", "its speakers, to refuse on the card"),
    "cm": ("DIR", "network of a countermeasure (default: none)"),
    "cm-key": ("FILE", "utt2attack of development trials (default: none)"),
    "cm-scores": ("FILE", "its scores of these, to calibrate it (default: none)"),
    "cm-card-key": ("FILE", "utt2attack of other recordings, for its card"),
    "cm-card-scores": ("FILE", "its scores of these (default: --cm-scores)"),
    "localizer": ("FILE", "localizer-tune's .conf, method fsa (default: its defaults)"),
    "card-data": ("DIR", "data directory of the card's trials (default: no card)"),
    "card-trials": ("FILE", "trials to count errors on (default: no card)"),
    "card-scores": ("FILE", "their calibrated scores (default: no card)"),
    "check-audio": ("PATH", "sound file or directory (default: synthesized voices)"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    for name, (metavar, text) in FILES.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=text)
    add_options(parser, COSTS, "p_target", "c_miss", "c_fa")
    parser.add_argument(
        "--p-bonafide",
        **parsing_of(Probability),
        default=0.5,
        help="prior probability that a recording is bona fide (default: 0.5)",
    )
    add_options(parser, MAKE, *NAMES)
    add_plugins(parser)
    parser.add_argument("model", help="directory of a network")
    parser.add_argument("bundle", type=OutputDir, help="where to write the bundle")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.inference.about import about_table
    from asdkit.inference.bundle_sources import Sources
    from asdkit.inference.bundling import make_bundle
    from asdkit.metrics.decision_costs import DecisionCosts

    given = {name: getattr(args, name) for name in Sources._fields}
    options = options_of(make_bundle, args)
    costs = DecisionCosts(**options_of(DecisionCosts, args))
    cm_costs = DecisionCosts(p_target=args.p_bonafide)
    kept = {name: options[name] for name in NAMES}
    bundle = make_bundle(
        args.model, args.bundle, Sources(**given), costs, cm_costs, **kept
    )
    return about_table(bundle)[0]
