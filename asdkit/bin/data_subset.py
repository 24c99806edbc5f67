"""Select part of a data directory.

e.g.: asdkit data-subset --longest 100000 data/train data/train_100k
e.g.: asdkit data-subset --spk-list lists/dev --per-spk 5 data/train data/dev
e.g.: asdkit data-subset --where utt2attack=bonafide data/train data/train_bonafide

Conditions apply one after another, in the order of --help.  All tables are restricted
together, including features, VAD decisions and trials.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--utt-list",
        metavar="FILE",
        help="utterances to keep, first word of each line (default: all)",
    )
    parser.add_argument(
        "--spk-list",
        metavar="FILE",
        help="speakers to keep, first word of each line (default: all)",
    )
    parser.add_argument(
        "--where",
        metavar="TABLE=X,X",
        action="append",
        default=[],
        help="table and the values of utterances to keep, e.g. utt2attack=A01,A02; "
        "repeat the option for further conditions (default: all)",
    )
    names = "per_spk", "longest", "random", "seed"
    add_options(parser, "asdkit.data.subset:select", *names)
    parser.add_argument("data_dir", help="directory with manifests")
    parser.add_argument("subset_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.data.directory import ids_of
    from asdkit.data.manifests import read_manifests
    from asdkit.data.subset import read_list, read_where, select, write_subset

    manifests = read_manifests(args.data_dir)
    ids = ids_of(manifests)
    chosen = [read_where(args.data_dir, condition) for condition in args.where]
    if args.utt_list:
        chosen.append(read_list(args.utt_list, ids.utts))
    utts = select(
        manifests,
        set.intersection(*chosen) if chosen else None,
        read_list(args.spk_list, ids.spks) if args.spk_list else None,
        **options_of(select, args),
    )
    write_subset(args.data_dir, args.subset_dir, utts)
