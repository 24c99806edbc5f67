"""Decide which frames hold speech, for all utterances of a data directory.

e.g.: asdkit vad-compute --config conf/vad.conf data/train exp/vad/train

Options have Kaldi's names and defaults.  Reads feats.scp, whose first column is log
energy; writes vad.ark and vad.scp, vectors of 0 and 1, and vad.scp into the data
directory, too.  Utterances without speech are counted; if most have none, it is an
error.
"""

from __future__ import annotations

import argparse
from functools import partial

from asdkit.base.options import add_choice, choice_of
from asdkit.data.vad import compute_vad
from asdkit.segmentation.energy import energy_vad

METHODS = {"energy": energy_vad}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_choice(
        parser,
        "method",
        METHODS,
        "how to decide",
        vad_energy_threshold="constant part of the threshold, natural log",
        vad_energy_mean_scale="share of the utterance's mean energy to add to it",
        vad_frames_context="frames to look at on each side",
        vad_proportion_threshold="share of these frames that must be loud, in (0, 1)",
    )
    parser.add_argument("data_dir", help="data directory with feats.scp")
    parser.add_argument("out_dir", help="where to write the archive")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    method, options = choice_of(args, "method", METHODS)
    compute_vad(args.data_dir, args.out_dir, partial(method, **options))
