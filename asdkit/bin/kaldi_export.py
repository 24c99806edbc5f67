"""Write a UBM, extractor or back-end as Kaldi models.

e.g.: asdkit kaldi-export exp/extractor/extractor.npz kaldi/exp/extractor

A UBM becomes final.dubm and final.ubm, an extractor these and final.ie, a back-end
mean.vec, transform.mat and plda.  A model from kaldi-import that has not been trained
since is written back byte for byte.  Front end, Gaussian selection, smoothing and
length normalization are options of Kaldi's programs, not parts of its models.
"""

from __future__ import annotations

import argparse

from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", help="model file (.npz)")
    parser.add_argument("kaldi_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.kaldi.models import export_model

    export_model(args.model, args.kaldi_dir)
