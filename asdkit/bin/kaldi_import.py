"""Import a Kaldi data directory or Kaldi models.

e.g.: asdkit kaldi-import --root /corpora/x /corpora/x/train data/train
e.g.: asdkit kaldi-import kaldi/exp/extractor/final.ie exp/extractor
e.g.: asdkit kaldi-import kaldi/exp/ivectors_train/plda exp/ivectors/backend.npz
e.g.: asdkit kaldi-import kaldi/exp/xvector_nnet_1a exp/xvector

A data directory is wav.scp, segments, feats.scp and whatever else Kaldi keeps there;
ids stay the same.  Directories with features but no audio work, too.  A file is a
model: a UBM (.dubm or .ubm), an extractor (.ie), PLDA, an LDA matrix or a mean.  Files
that belong to it are taken from the same directory: final.ubm and final.dubm for an
extractor, mean.vec and transform.mat for PLDA.  An x-vector network of nnet3 is a
directory with final.raw, or that file; it is used with extract.config and the sizes of
chunks beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import Output, OutputDir, hold


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    data = parser.add_argument_group("data directories")
    names = "root", "allow_pipes", "channel", "sampling_rate"
    add_options(data, "asdkit.kaldi.import_data:import_directory", *names)
    add_options(data, "asdkit.kaldi.cmvn:apply_cmvn", "cmvn")
    models = parser.add_argument_group("models")
    front_end = "delta_window", "delta_order", "cmn_window"
    add_options(models, "asdkit.features.frontend:FrontEnd", *front_end)
    alignment = "num_gselect", "min_post", "transforms", "mean"
    add_options(models, "asdkit.kaldi.models:import_model", *alignment)
    networks = parser.add_argument_group("x-vector networks")
    names_of_networks = (
        *("nnet_config", "chunk_size", "min_chunk_size", "pad_input"),
        *("mfcc_config", "vad_config"),
    )
    reader = "asdkit.kaldi.xvector_networks:read_xvector"
    add_options(networks, reader, *names_of_networks)
    parser.add_argument(
        "source", help="Kaldi data directory, model file, or directory of a network"
    )
    parser.add_argument(
        "destination",
        help="where to write: a data directory, the directory of a UBM, an extractor "
        "or a network, or the file of a back-end (.npz)",
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.kaldi.nnet3.streams import is_nnet3

    source = Path(args.source)
    if (source / "final.raw").exists() or (source.is_file() and is_nnet3(source)):
        from asdkit.kaldi.xvector_networks import import_network, read_xvector

        options = options_of(read_xvector, args)
        with hold(OutputDir(args.destination)):
            import_network(args.source, args.destination, **options)
    elif source.is_file():
        from asdkit.features.frontend import FrontEnd
        from asdkit.kaldi.models import import_model

        frontend = FrontEnd(**options_of(FrontEnd, args))
        options = options_of(import_model, args)
        with hold(Output(args.destination)):
            import_model(args.source, args.destination, frontend, **options)
    else:
        from asdkit.kaldi.cmvn import apply_cmvn
        from asdkit.kaldi.import_data import import_directory

        options = options_of(import_directory, args)
        with hold(OutputDir(args.destination)):
            import_directory(args.source, args.destination, **options)
            apply_cmvn(args.destination, **options_of(apply_cmvn, args))
