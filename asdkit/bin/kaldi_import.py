"""Take over a Kaldi data directory, or Kaldi's models.

e.g.: asdkit kaldi-import --root /corpora/x /corpora/x/train data/train
e.g.: asdkit kaldi-import kaldi/exp/extractor/final.ie exp/extractor
e.g.: asdkit kaldi-import kaldi/exp/ivectors_train/plda exp/ivectors/backend.npz

A data directory is wav.scp, segments, feats.scp and whatever else Kaldi keeps; ids
stay as they are.  One with features but without audio is taken over, too.  A file is
a model: a UBM (.dubm or .ubm), an extractor (.ie), PLDA, an LDA matrix or a
mean.  What belongs to it is taken from beside it: final.ubm and final.dubm to an
extractor, mean.vec and transform.mat to PLDA.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.options import add_options, options_of
from asdkit.data.kaldi_import import import_directory
from asdkit.features.frontend import FrontEnd
from asdkit.inference.kaldi import import_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        import_directory,
        root="data: directory that relative paths in the tables start from",
        allow_pipes="data: run the commands in wav.scp, now and whenever audio is read",
        channel="data: which channel of recordings with several, counted from 0",
        sampling_rate="data: in Hz, of all recordings: those with a known length are "
        "then not opened; 0: open all",
    )
    add_options(
        parser,
        FrontEnd,
        delta_window="models: frames on each side of a derivative",
        delta_order="models: highest derivative; 0: none",
        cmn_window="models: frames of the window whose mean is subtracted; 0: none",
    )
    add_options(
        parser,
        import_model,
        num_gselect="models: Gaussians that a frame may count for in extraction",
        min_post="models: least posterior in extraction",
    )
    parser.add_argument("source", help="Kaldi data directory or model file")
    parser.add_argument(
        "destination",
        help="where to write: data directory, directory of a UBM or an extractor, or "
        "file of a back-end (.npz)",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    if Path(args.source).is_file():
        frontend = FrontEnd(**options_of(FrontEnd, args))
        options = options_of(import_model, args)
        import_model(args.source, args.destination, frontend, **options)
    else:
        options = options_of(import_directory, args)
        import_directory(args.source, args.destination, **options)
