"""Decide which frames hold speech, for all utterances of a data directory.

e.g.: asdkit vad-compute --config conf/vad.conf data/train exp/vad/train
e.g.: asdkit vad-compute --method gmm_fsa --rttm exp/vad/rttm data/test exp/vad/test

By energy, with Kaldi's options and defaults; or, where k2 is installed, by a path
through an acceptor with minimum durations, over scores of two Gaussian mixtures that
learn from the recordings themselves, of silero-vad, or of an archive.  Reads feats.scp,
whose first column is log energy; writes vad.ark and vad.scp, vectors of 0 and 1, and
vad.scp into the data directory, too.  Utterances without speech are counted; if most
have none, it is an error.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from asdkit.base.options import add_choice, choice_of
from asdkit.data.frame_segments import write_speech
from asdkit.data.vad import Detector, EnergyDetector, compute_vad
from asdkit.data.vad_fsa import GmmDetector, ScoresDetector, SileroDetector
from asdkit.segmentation.energy import energy_vad

METHODS: dict[str, Callable[..., Any]] = {
    "energy": energy_vad,
    "gmm_fsa": GmmDetector,
    "silero": SileroDetector,
    "scores": ScoresDetector,
}


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
        min_speech_sec="shortest speech in seconds",
        min_pause_sec="shortest pause in seconds",
        change_cost="cost of a change between speech and pause, in nats",
        speech_bias="added to the frames' log odds; more than 0 keeps more frames",
        score_scale="of the sum, before costs are subtracted",
        num_gauss="Gaussians of each of two mixtures",
        quiet_share="share of a recording's frames that count as pauses at first",
        loud_share="share that counts as speech at first",
        num_rounds="times to learn from its own decisions",
        num_frames="frames to learn from, at most",
        seed="of the recordings to learn from",
        scores="table (.scp) of frames' log odds, or of log-likelihoods of both",
    )
    parser.add_argument(
        "--rttm", metavar="FILE", help="write segments of speech as RTTM, too"
    )
    parser.add_argument(
        "--segments", metavar="FILE", help="as lhotse supervisions (.jsonl.gz), too"
    )
    parser.add_argument("data_dir", help="data directory with feats.scp")
    parser.add_argument("out_dir", help="where to write the archive")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    method, options = choice_of(args, "method", METHODS)
    detector: Detector = (
        EnergyDetector(partial(energy_vad, **options))
        if method is energy_vad
        else method(**options)
    )
    compute_vad(args.data_dir, args.out_dir, detector)
    write_speech(args.data_dir, args.rttm, args.segments)
