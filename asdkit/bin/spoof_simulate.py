"""Attack the speakers of a bona fide corpus, by attacks that are then known.

e.g.: asdkit spoof-simulate --attacks lpc,griffin_lim data/train data/la exp/wav/la
e.g.: asdkit spoof-simulate --attacks world,espeak --ids A01,A02 data/dev data/la wav

Vocoders (lpc, griffin_lim, griffin_lim_40, world) copy utterances; world_vc lets one
speaker say what another has said; espeak and flite read the transcripts; replay, or
replay_AA to replay_CC (distance, loudspeaker), plays recordings in another room, or,
with --environments, in one like that in which room-apply lets the utterance be heard.
Every spoof is as loud as the utterance it imitates.  What cannot be made, for want of a
transcript for instance, is counted and skipped.  N ranks write the same samples as one,
and what an interrupted run has written is kept.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.data.spoofed_audio import parse_attacks, write_spoofed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--attacks",
        default="lpc,griffin_lim",
        metavar="NAME,NAME,...",
        help="what to do, see above (default: lpc,griffin_lim)",
    )
    add_options(
        parser,
        parse_attacks,
        ids="names of the attacks in utt2attack, e.g. A01,A02; by default, their own",
    )
    add_options(
        parser,
        write_spoofed,
        per_utterance="every attack on every utterance, or one, all equally often",
        with_bonafide="list the originals, too",
        seed="other seeds draw other voices, rooms and noise",
        allow_pipes="run the commands that recordings are",
        environments="rooms of replays, e.g. aaa,bbc, or all: size, reverberation and "
        "distance as in ASVspoof 2019's PA; by default, any",
    )
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument("spoof_dir", help="where to write the new data directory")
    parser.add_argument("audio_dir", help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    write_spoofed(
        args.data_dir,
        args.spoof_dir,
        args.audio_dir,
        parse_attacks(args.attacks, args.ids),
        **options_of(write_spoofed, args),
    )
