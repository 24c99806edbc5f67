"""Add room reverberation to every utterance.

e.g.: asdkit room-apply --environments aaa,bbb,ccc data/dev data/dev_rooms exp/wav/rooms

The letters of an environment, a to c, are those of ASVspoof 2019's PA: size of the room
(2 to 5, 5 to 10, 10 to 20 square meters), reverberation time (0.05 to 0.2, 0.2 to 0.6,
0.6 to 1 s), distance from talker to microphone (0.1 to 0.5, 0.5 to 1, 1 to 1.5 m).  One
of those listed is drawn for each utterance and recorded in utt2environment.
spoof-simulate with the same --environments and --seed replays it there.  N ranks write
the same samples as one.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.changed:Rooms", "environments", "seed")
    add_options(parser, "asdkit.corpora.changed:write_changed", "allow_pipes")
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument(
        "room_dir", type=OutputDir, help="where to write the new data directory"
    )
    parser.add_argument("audio_dir", type=OutputDir, help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.corpora.changed import Rooms, write_changed

    rooms = Rooms(**options_of(Rooms, args))
    write_changed(
        args.data_dir,
        args.room_dir,
        args.audio_dir,
        rooms,
        args.allow_pipes,
        note=lambda utt: {"environment": rooms.environment_of(utt)},
    )
