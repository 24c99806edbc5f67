"""Print the results that runs left; CSV, Markdown, JSON.

e.g.: asdkit results exp/
e.g.: asdkit results --markdown exp/ivectors exp/network > results.md

Programs that train, extract, score or measure leave results.json beside their output:
metrics with 95 % intervals where they were computed, costs, versions, commit, hashes of
the lists.  This reads all of them in the given directories and below.  A note names the
results whose files have changed since.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    text = "print comma-separated values, numbers unrounded (default: false)"
    parser.add_argument("--csv", action="store_const", const=True, help=text)
    text = "print tables in Markdown (default: false)"
    parser.add_argument("--markdown", action="store_const", const=True, help=text)
    parser.add_argument("exp_dir", nargs="+", help="directories with results")


def main(args: argparse.Namespace) -> Answer:
    """Run the command."""
    from asdkit.report.results_listing import as_csv, as_markdown, list_results

    tables = list_results(args.exp_dir)
    if args.csv:
        return as_csv(tables)
    return as_markdown(tables) if args.markdown else tables
