"""Compute features: MFCC, fbank, LFCC, CQCC, spectra.

e.g.: asdkit feats-compute --config conf/mfcc.conf data/train exp/mfcc/train

Options have Kaldi's names and defaults, and its .conf files work unchanged.  Writes
feats.ark, feats.scp and feats.json, which records type and options; feats.scp and
utt2num_frames go into the data directory, too.  Audio at another sampling rate is
resampled, with a log message.  Utterances shorter than one frame are counted, named and
skipped; audio that is missing, empty, cut short or NaN is an error.
"""

from __future__ import annotations

import argparse

from asdkit.base.options import add_choice, add_options, choice_of, options_of
from asdkit.base.outputs import OutputDir
from asdkit.features.registry import FEATURES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_choice(parser, "type", FEATURES, "kind of features")
    add_options(
        parser,
        "asdkit.data.features:compute_features",
        "seed",
        "compress",
        "allow_pipes",
        "allow_downsample",
        "allow_upsample",
    )
    parser.add_argument("data_dir", help="data directory with manifests")
    parser.add_argument("out_dir", type=OutputDir, help="where to write the archive")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.data.features import compute_features

    kind, options = choice_of(args, "type", FEATURES)
    compute_features(
        args.data_dir,
        args.out_dir,
        kind(**options),
        **options_of(compute_features, args),
    )
