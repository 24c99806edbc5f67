"""Plot DET curves, histograms or calibration for papers.

e.g.: asdkit plot det --trials data/test/trials PLDA=exp/plda/scores -o det.pdf
e.g.: asdkit plot calibration exp/a/scores exp/b/scores -o calibration.svg

The name of the output says the format: .svg, .png or .pdf.  Without --trials, trials
are those that results.json beside the first file of scores names.  det: miss over false
alarm rates on probit scales, EERs in the legend; hist: scores of each class;
calibration: normalized Bayes error rates, actual thick and least thin.  Needs
matplotlib: pip install 'asdkit[plot]'.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile
from asdkit.metrics.flavor_names import SPOOFING


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.report.plots:plot_scores", "trials")
    parser.add_argument(
        "--flavor",
        choices=SPOOFING,
        default="asvspoof2019",
        help="format of a CM protocol (default: asvspoof2019)",
    )
    parser.add_argument(
        *("-o", "--output"),
        type=OutputFile,
        default=OutputFile("plot.svg"),
        metavar="FILE",
        help="where to write the figure (default: plot.svg)",
    )
    kinds = "det", "hist", "calibration"
    parser.add_argument("kind", choices=kinds, help=f"one of {', '.join(kinds)}")
    parser.add_argument(
        "scores",
        nargs="+",
        metavar="[NAME=]SCORES",
        help="score files, and their names",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.report.plots import plot_scores

    options = options_of(plot_scores, args)
    plot_scores(args.kind, args.scores, args.output, **options)
