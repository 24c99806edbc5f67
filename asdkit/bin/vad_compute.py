"""Detect speech frames (voice activity detection).

e.g.: asdkit vad-compute --config conf/vad.conf data/train exp/vad/train
e.g.: asdkit vad-compute --method gmm_fsa --rttm exp/vad/rttm data/test exp/vad/test

By energy, with Kaldi's options and defaults; or, if k2 is installed, by a path through
an acceptor with minimum durations, over scores of two Gaussian mixtures trained on the
recordings themselves, of silero-vad, or from an archive.  Reads feats.scp, whose first
column is log energy.  Writes vad.ark and vad.scp, vectors of 0 and 1, and vad.json with
the method and its options; copies vad.scp into the data directory.  Utterances without
speech are counted; it is an error if most have none.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from asdkit.base.options import add_choice, choice_of
from asdkit.base.outputs import OutputDir, OutputFile
from asdkit.base.references import Reference

if TYPE_CHECKING:
    from asdkit.vad.detection import Detector

METHODS: Mapping[str, Reference] = {
    "energy": Reference("asdkit.vad.energy:energy_vad"),
    "gmm_fsa": Reference("asdkit.vad.fsa_detectors:GmmDetector"),
    "silero": Reference("asdkit.vad.fsa_detectors:SileroDetector"),
    "scores": Reference("asdkit.vad.fsa_detectors:ScoresDetector"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_choice(parser, "method", METHODS, "decision method")
    parser.add_argument(
        "--rttm",
        type=OutputFile,
        metavar="FILE",
        help="write segments of speech as RTTM, too",
    )
    parser.add_argument(
        "--segments",
        type=OutputFile,
        metavar="FILE",
        help="write them as lhotse supervisions (.jsonl.gz), too",
    )
    parser.add_argument("data_dir", help="data directory with feats.scp")
    parser.add_argument("out_dir", type=OutputDir, help="where to write the archive")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.registry import defaults_of
    from asdkit.data.feats_info import VadInfo
    from asdkit.data.frame_segments import write_speech
    from asdkit.vad.detection import EnergyDetector, compute_vad

    method, options = choice_of(args, "method", METHODS)
    detector: Detector
    if args.method == "energy":
        detector = EnergyDetector(partial(method, **options))
    else:
        detector = method(**options)
    described = VadInfo(args.method, {**defaults_of(METHODS, args.method), **options})
    compute_vad(args.data_dir, args.out_dir, detector, described)
    write_speech(args.data_dir, args.rttm, args.segments)
