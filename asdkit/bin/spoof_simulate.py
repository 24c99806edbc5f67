"""Make spoofed copies of bona fide speech.

e.g.: asdkit spoof-simulate --attacks lpc,griffin_lim data/train data/la exp/wav/la
e.g.: asdkit spoof-simulate --attacks world,espeak --ids A01,A02 data/dev data/la wav

Vocoders (lpc, griffin_lim, griffin_lim_40, griffin_lim_linear, phase_vocoder, world)
copy utterances; world_vc converts other speakers' utterances; espeak, flite, festival,
festival_hts and piper (neural) read the transcripts; replay, or replay_AA to replay_CC
(distance, loudspeaker), plays recordings in another room or, with --environments, in
one like that which room-apply gives the utterance; playback plays them in no room, for
use with --in-rooms.  Every spoof is as loud as the utterance it imitates.  With
--equalize true, both classes pass the same last steps, so that no offset, length or
level gives spoofs away; leak-check finds what still does.  --speech-sec and --in-rooms
add to these steps.  Spoofs that cannot be made, e.g. for lack of a transcript, are
counted and skipped.  N ranks write the same samples as one, and the output of an
interrupted run is kept.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    name = "asdkit.corpora.spoof_plan:parse_attacks"
    add_options(parser, name, "attacks", "ids", "skip_missing")
    names = "per_utterance", "with_bonafide", "seed", "allow_pipes", "environments"
    name = "asdkit.corpora.spoofed:write_spoofed"
    add_options(parser, name, *names, "equalize", "speech_sec", "in_rooms")
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument(
        "spoof_dir", type=OutputDir, help="where to write the new data directory"
    )
    parser.add_argument("audio_dir", type=OutputDir, help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.spoof_plan import parse_attacks
    from asdkit.corpora.spoofed import write_spoofed

    write_spoofed(
        args.data_dir,
        args.spoof_dir,
        args.audio_dir,
        parse_attacks(**options_of(parse_attacks, args)),
        **options_of(write_spoofed, args),
    )
