"""Print what experiments have cost: time, memory, energy, CO2 equivalent.

e.g.: asdkit cost-table exp/ivectors_50 exp/xvector

Reads costs.jsonl, where each finished run of a program that trains, extracts, computes
or scores leaves a line, in the directories and all below them.  Energy is what
codecarbon measured of all of them, if it did, otherwise estimated from seconds and
powers; the line below the table says which.
"""

from __future__ import annotations

import argparse

from asdkit.base.cost import Power
from asdkit.base.options import add_options, options_of
from asdkit.report.costs import cost_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        Power,
        core_watt="of a busy CPU core",
        gpu_watt="of a GPU in use",
        pue="energy of the building per energy of the machine",
        grid_intensity="kg of CO2 equivalent per kWh",
    )
    add_options(parser, cost_table, by_program="a line for every program")
    parser.add_argument("exp_dir", nargs="+", help="directories with results")


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    return cost_table(args.exp_dir, args.by_program, Power(**options_of(Power, args)))
