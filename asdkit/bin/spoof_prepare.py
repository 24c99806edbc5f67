"""Prepare a data directory of ASVspoof or PartialSpoof.

e.g.: asdkit spoof-prepare --corpus asvspoof2019_la --part eval /corpora/LA data/eval

Reads the challenge's protocols and the header of every file.  Writes manifests and
Kaldi tables, including utt2attack (bonafide, or the attack); from an ASV protocol
asv_trials (target, nontarget or spoof), asv_scores, asv_enroll.spk2utt and, in another
directory such as data/eval_enroll, the enrollment utterances.  Audio that is missing,
empty, cut short or not at 16 kHz is counted and is an error unless --skip-bad true.
Spoofed parts from PartialSpoof's RTTM go into the manifest, in the form of
spoof-splice.
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
