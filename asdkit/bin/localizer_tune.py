r"""Tune spoof localization on a development set.

e.g.: asdkit localizer-tune --method fsa --min-spoof-sec 0.1,0.2,0.3 \
        --change-cost 1,3,10 data/dev exp/lcnn/dev/frames.scp exp/lcnn/fsa.conf

Options of methods take lists; all combinations are tried.  Prints them, the best first
(nan: the frame error rate was not computed), and writes the best as a file for
cm-localize --config.  Frame scores come from cm-localize --decode false; the reference
is in the manifest, see spoof-splice.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Cell, Table, number
from asdkit.base.options import add_choice, add_options, choice_of, options_of
from asdkit.base.outputs import OutputFile
from asdkit.countermeasures.registry import LOCALIZERS

SWEEP = "asdkit.countermeasures.localization_quality:sweep"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_choice(parser, "method", LOCALIZERS, "decision method", listed=True)
    add_options(parser, SWEEP, "select")
    parser.add_argument(
        "data_dir", help="data directory whose manifest marks the spoofed segments"
    )
    parser.add_argument("frames", help="table (.scp) of its frame scores")
    parser.add_argument("conf", type=OutputFile, help="where to write the best options")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.countermeasures.localization_quality import sweep, write_conf

    _, grid = choice_of(args, "method", LOCALIZERS)
    select = options_of(sweep, args)["select"]
    points = sweep(args.data_dir, args.frames, args.method, grid, select)
    write_conf(args.conf, args.method, points[0], select, args.data_dir)
    names = [name.replace("_", "-") for name in grid]
    rates = [rate.replace("_", " ") for rate in points[0].quality._fields]
    rows = [
        [
            *(Cell(str(option), option) for option in options.values()),
            *(number(100 * x, ".2f") for x in quality),
        ]
        for options, quality in points
    ]
    return Table([*names, *(f"{rate} %" for rate in rates)], rows, len(names))
