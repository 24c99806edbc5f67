"""Write an HTML report of experiments; needs no network.

e.g.: asdkit report exp/ -o exp/report.html
e.g.: asdkit report --audio true exp/ivectors exp/network model/ -o report.html

Systems side by side with intervals, DET curves, histograms, calibration, error rates by
condition, training curves, the worst trials, and how everything was made.  What to
measure scores by is found in results.json, which the programs that score and
score-metrics leave.  Bundles are shown with what their graphs cost and how often their
thresholds err.  Parts that cannot be made are left out, and the page says why.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    name = "asdkit.report.experiments:make_report"
    add_options(parser, name, "title", "bootstrap", "audio")
    parser.add_argument(
        "exp_dir", nargs="+", help="directories with results, or bundles"
    )
    parser.add_argument(
        *("-o", "--output"),
        type=OutputFile,
        default=OutputFile("report.html"),
        metavar="FILE",
        help="where to write the page (default: report.html)",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.report.experiments import make_report
    from asdkit.report.page import write_page

    page = make_report(args.exp_dir, **options_of(make_report, args))
    write_page(args.output, page)
