"""Write a UBM, extractor, back-end or x-vector as Kaldi's.

e.g.: asdkit kaldi-export exp/extractor/extractor.npz kaldi/exp/extractor
e.g.: asdkit kaldi-export exp/xvector/network.pt kaldi/exp/xvector_nnet_1a

A UBM becomes final.dubm and final.ubm, an extractor these and final.ie, a back-end
mean.vec, transform.mat and plda; a network xvector or kaldi_xvector final.raw, as text,
extract.config, max_chunk_size and min_chunk_size.  A model from kaldi-import that has
not been trained since is written back byte for byte, a network number for number.
Front end, Gaussian selection, smoothing and length normalization are options of Kaldi's
programs, not parts of its models.
"""

from __future__ import annotations

import argparse

from asdkit.base.outputs import OutputDir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", help="model file (.npz, or .pt of a network)")
    parser.add_argument("kaldi_dir", type=OutputDir, help="where to write")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    if args.model.endswith(".pt"):
        from asdkit.kaldi.xvector_networks import export_network

        export_network(args.model, args.kaldi_dir)
    else:
        from asdkit.kaldi.models import export_model

        export_model(args.model, args.kaldi_dir)
