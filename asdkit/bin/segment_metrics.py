"""Print metrics of spoof localization.

e.g.: asdkit segment-metrics data/eval_spliced exp/lcnn/fsa exp/lcnn/median

Reads the output of cm-localize; the reference is in the manifest, see spoof-splice.
The frame EER counts frames, the range EER seconds, both from smoothed scores; a segment
is correct if it shares more than half of the union with a reference segment.  The
utterance EER separates utterances with spoofed parts from those without.
"""

from __future__ import annotations

import argparse

from asdkit.base.answers import Table, number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "data_dir", help="data directory whose manifest marks the spoofed segments"
    )
    parser.add_argument("out_dir", nargs="+", help="output directories of cm-localize")


def main(args: argparse.Namespace) -> Table:
    """Run the command."""
    from asdkit.countermeasures.localization_quality import assess

    titles = ("frame EER", "range EER", "precision", "recall", "F1", "utterance EER")
    head = ["localized", *(f"{title} %" for title in titles)]
    rows = [
        [path, *(number(100 * share, ".2f") for share in assess(args.data_dir, path))]
        for path in args.out_dir
    ]
    return Table(head, rows)
