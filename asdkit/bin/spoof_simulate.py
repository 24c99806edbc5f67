"""Make spoofed copies of bona fide speech.

e.g.: asdkit spoof-simulate --attacks lpc,griffin_lim data/train data/la exp/wav/la
e.g.: asdkit spoof-simulate --attacks world,espeak --ids A01,A02 data/dev data/la wav

<<<<<<< HEAD
Vocoders (lpc, griffin_lim, griffin_lim_40, world) copy utterances; world_vc converts
other speakers' utterances; espeak and flite read the transcripts; replay, or replay_AA
to replay_CC (distance, loudspeaker), plays recordings in another room or, with
--environments, in one like that which room-apply gives the utterance.  Every spoof is
as loud as the utterance it imitates.  Spoofs that cannot be made, e.g. for lack of a
transcript, are counted and skipped.  N ranks write the same samples as one, and the
output of an interrupted run is kept.
=======
Vocoders (lpc, griffin_lim, griffin_lim_40, world) copy utterances; world_vc lets one
speaker say what another has said; espeak and flite read the transcripts; replay, or
replay_AA to replay_CC (distance, loudspeaker), plays recordings in another room, or,
with --environments, in one like that in which room-apply lets the utterance be heard.
Every spoof is as loud as the utterance it imitates.  With --equalize true, both classes
end in the same steps, so that no offset, length or level gives spoofs away; leak-check
tells whether something else does.  What cannot be made, for want of a transcript for
instance, is counted and skipped.  N ranks write the same samples as one, and what an
interrupted run has written is kept.
>>>>>>> leak
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.spoofed:parse_attacks", "attacks", "ids")
    names = "per_utterance", "with_bonafide", "seed", "allow_pipes", "environments"
    name = "asdkit.corpora.spoofed:write_spoofed"
    add_options(parser, name, *names, "equalize")
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument(
        "spoof_dir", type=OutputDir, help="where to write the new data directory"
    )
    parser.add_argument("audio_dir", type=OutputDir, help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.spoofed import parse_attacks, write_spoofed

    write_spoofed(
        args.data_dir,
        args.spoof_dir,
        args.audio_dir,
        parse_attacks(args.attacks, args.ids),
        **options_of(write_spoofed, args),
    )
