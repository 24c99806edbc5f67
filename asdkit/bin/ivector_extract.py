"""Extract one i-vector per utterance.

e.g.: asdkit ivector-extract data/test exp/extractor exp/ivectors/test

Writes ivector.ark and ivector.scp; N ranks share the utterances.  Those without a
voiced frame are counted, named and skipped.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.distributed import is_main, share
from asdkit.base.errors import DataError
from asdkit.base.options import add_options
from asdkit.data.frames import list_utts, read_frames
from asdkit.io.ark import ArkWriter, read_scp
from asdkit.io.store import load_arrays
from asdkit.ivector.system import IvectorSystem

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, choose_device, device="where to compute")
    parser.add_argument("data_dir", help="data directory with feats.scp and vad.scp")
    parser.add_argument("extractor_dir", help="directory with extractor.npz")
    parser.add_argument("ivector_dir", help="where to write ivector.ark and .scp")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    device = choose_device(args.device)
    model = Path(args.extractor_dir) / "extractor.npz"
    system = IvectorSystem.from_state(*load_arrays(model, IvectorSystem.__name__))
    utts = list_utts(args.data_dir)
    if not utts:
        raise DataError(args.data_dir, "expected utterances, feats.scp has none")
    batches = read_frames(args.data_dir, system.frontend, share(utts))
    with ArkWriter(args.ivector_dir, "ivector") as writer:
        for utt, ivector in system.extract(batches, device):
            writer[utt] = ivector
    if is_main():
        done = len(read_scp(writer.scp))
        logger.info(
            "ivector-extract: i-vectors of %d of %d utterances", done, len(utts)
        )
