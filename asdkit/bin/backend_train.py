r"""Train a back-end on embeddings with speaker labels.

e.g.: asdkit backend-train data/train/utt2spk scp:exp/ivector.scp exp/backend.npz
e.g.: asdkit backend-train --steps center,length-norm,cosine \
        data/train/utt2spk scp:exp/ivector.scp exp/backend.npz

Utterances without a speaker, and speakers' utterances without a vector, are
counted and skipped; skipping more than is kept is an error.
"""

from __future__ import annotations

import argparse
import logging

import numpy as np

from asdkit.backends.lda import Lda
from asdkit.backends.pipeline import MAPS, SCORERS, STEPS, Pipeline, step_names
from asdkit.backends.plda import Plda
from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.io.store import save_arrays
from asdkit.io.tables import read_table
from asdkit.io.vectors import read_vectors

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--steps",
        type=step_names,
        default="center,lda,length-norm,plda",
        metavar="NAME,...",
        help=f"any of {', '.join(MAPS)} in any order, then one of "
        f"{', '.join(SCORERS)} (default: %(default)s)",
    )
    add_options(
        parser,
        Lda,
        lda_dim="lda: dimension after the projection",
        total_covariance_factor="lda: 0 to whiten within speakers, 1 in total",
        covariance_floor="lda, plda: smallest eigenvalue, relative to the largest",
    )
    add_options(
        parser,
        Plda,
        num_iters="plda: number of EM iterations",
        normalize_length="plda: normalize length inside the model",
        simple_length_norm="plda: to sqrt(dim), not to what the model expects",
        smoothing="plda: share of the between-speaker covariance added to within",
    )
    parser.add_argument("utt2spk", help="speaker of every utterance")
    parser.add_argument("vectors", help="rspecifier, e.g. scp:exp/ivector.scp")
    parser.add_argument("backend", help="where to write the back-end (.npz)")


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    utt2spk = read_table(args.utt2spk)
    vectors = read_vectors(args.vectors)
    utts = [utt for utt in vectors.keys if utt in utt2spk]
    skipped = len(vectors.keys) - len(utts), len(utt2spk) - len(utts)
    counts = f"{skipped[0]} without a speaker, {skipped[1]} without a vector"
    logger.info("backend-train: %d utterances (%s)", len(utts), counts)
    if sum(skipped) > len(utts):
        raise DataError(
            args.vectors,
            f"only {len(utts)} of its utterances are in {args.utt2spk} ({counts})",
            hint="both must be of the same data directory",
        )
    steps = [STEPS[name](**options_of(STEPS[name], args)) for name in args.steps]
    x = vectors.find(utts, args.utt2spk)
    spk = np.array([utt2spk[utt] for utt in utts])
    pipeline = Pipeline(steps).fit(x, spk)
    save_arrays(args.backend, "Pipeline", *pipeline.to_state())
