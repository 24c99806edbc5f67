"""Add noise to every utterance at a given SNR.

e.g.: asdkit noise-add --snr-db 10 data/test data/test_10db exp/wav/test_10db
e.g.: asdkit noise-add --snr-db 5 --noises data/musan data/test data/test_5db exp/wav/5

Energies are those of whole utterances.  Noise is synthetic (stationary, with a
different color for every utterance) or comes from a directory of recordings.  N ranks
write the same samples as one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir

if TYPE_CHECKING:
    from asdkit.batches.augmentation import Noises


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "asdkit.corpora.changed:NoiseAdder", "snr_db", "seed")
    parser.add_argument(
        "--noises",
        metavar="FILE|DIR",
        help="folder or data directory of noise recordings (default: noise is drawn)",
    )
    add_options(parser, "asdkit.corpora.changed:write_changed", "allow_pipes")
    parser.add_argument("data_dir", help="data directory with audio")
    parser.add_argument(
        "noisy_dir", type=OutputDir, help="where to write the new data directory"
    )
    parser.add_argument("audio_dir", type=OutputDir, help="where to write FLAC files")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.batches.noises import DrawnNoises, RecordedNoises
    from asdkit.corpora.changed import NoiseAdder, write_changed

    def noises(sampling_rate: int) -> Noises:
        if args.noises is None:
            return DrawnNoises(sample_frequency=sampling_rate)
        return RecordedNoises(args.noises, sampling_rate)

    add = NoiseAdder(noises, **options_of(NoiseAdder, args))
    write_changed(args.data_dir, args.noisy_dir, args.audio_dir, add, args.allow_pipes)
