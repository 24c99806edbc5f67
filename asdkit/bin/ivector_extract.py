"""Extract one i-vector per utterance.

e.g.: asdkit ivector-extract data/test exp/extractor exp/ivectors/test

Writes ivector.ark and ivector.scp; N ranks share the utterances.  Those without a
voiced frame are counted, named and skipped.  With --with-precision true it also writes
precision.ark and precision.scp, the posterior precision of every element.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
from functools import partial
from pathlib import Path

from asdkit.base.device import choose_device
from asdkit.base.errors import DataError
from asdkit.base.options import add_options
from asdkit.base.outputs import OutputDir
from asdkit.base.parsing import boolean

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, choose_device, "device")
    parser.add_argument(
        "--with-precision",
        type=boolean,
        default=False,
        metavar="true|false",
        help="also write the posterior precision of every element (default: false)",
    )
    parser.add_argument("data_dir", help="data directory with feats.scp and vad.scp")
    parser.add_argument("extractor_dir", help="directory with extractor.npz")
    parser.add_argument(
        "ivector_dir", type=OutputDir, help="where to write ivector.ark and .scp"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.base.distributed import is_main, share
    from asdkit.batches.gmm_frames import list_utts, read_frames
    from asdkit.data.derived import origin_of_features
    from asdkit.io.ark import ArkWriter, read_scp
    from asdkit.io.store import load_object
    from asdkit.ivector.system import IvectorSystem

    device = choose_device(args.device)
    model = Path(args.extractor_dir) / "extractor.npz"
    system = load_object(model, IvectorSystem)
    utts = list_utts(args.data_dir)
    if not utts:
        raise DataError(args.data_dir, "expected utterances, feats.scp has none")
    batches = read_frames(args.data_dir, system.frontend, share(utts))
    open_ark = partial(ArkWriter, origin=origin_of_features(args.data_dir))
    with contextlib.ExitStack() as stack:
        writer = stack.enter_context(open_ark(args.ivector_dir, "ivector"))
        if args.with_precision:
            precisions = stack.enter_context(open_ark(args.ivector_dir, "precision"))
        for utt, ivector, precision in system.posteriors(batches, device):
            writer[utt] = ivector
            if args.with_precision:
                precisions[utt] = precision
    if is_main():
        done = len(read_scp(writer.scp))
        logger.info(
            "ivector-extract: i-vectors of %d of %d utterances", done, len(utts)
        )
