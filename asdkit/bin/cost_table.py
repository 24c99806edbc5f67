"""Print time, memory, energy and CO2 of experiments.

e.g.: asdkit cost-table exp/ivectors_50 exp/xvector

Every finished run of a program that trains, extracts, computes or scores appends a line
to costs.jsonl; this reads those lines in the given directories and below.  Energy is
the sum of codecarbon's measurements if all runs have one, otherwise an estimate from
seconds and powers; the line below the table says which.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table
from asdkit.base.options import add_options, options_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    names = "core_watt", "gpu_watt", "pue", "grid_intensity"
    add_options(parser, "asdkit.base.run_cost:Power", *names)
    add_options(parser, "asdkit.report.cost_tables:run_cost_table", "by_program")
    parser.add_argument("exp_dir", nargs="+", help="directories with results")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.base.run_cost import Power
    from asdkit.report.cost_tables import run_cost_table

    return run_cost_table(
        args.exp_dir, args.by_program, Power(**options_of(Power, args))
    )
