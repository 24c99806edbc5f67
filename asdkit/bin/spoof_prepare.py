"""Prepare a data directory of ASVspoof or PartialSpoof.

e.g.: asdkit spoof-prepare --corpus asvspoof2019_la --part eval /corpora/LA data/eval

Reads the challenge's protocols and looks at every file.  Writes manifests and Kaldi
tables, utt2attack (bonafide, or the attack) among them; of an ASV protocol asv_trials
(target, nontarget or spoof), asv_scores, asv_enroll.spk2utt, and the utterances to
enroll into another directory, e.g. data/eval_enroll.  Audio that is missing, empty, cut
short or not of 16 kHz is an error, unless it is to be skipped; it is counted anyway.
PartialSpoof's RTTM says which parts are spoofed; the manifest has it, as spoof-splice
writes it.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options
from asdkit.base.outputs import OutputDir
from asdkit.corpora.asvspoof_layouts import LAYOUTS, PARTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--corpus", choices=LAYOUTS, required=True, help="corpus to prepare"
    )
    parser.add_argument(
        "--part",
        choices=PARTS,
        required=True,
        help="part to prepare; ASVspoof 2021 has eval only",
    )
    add_options(parser, "asdkit.corpora.asvspoof:prepare", "skip_bad")
    parser.add_argument("root", help="folder with the unpacked corpus")
    parser.add_argument("data_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.asvspoof import prepare

    prepare(args.corpus, args.part, args.root, args.data_dir, args.skip_bad)
