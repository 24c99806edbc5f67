r"""Train a back-end on embeddings with speaker labels.

e.g.: asdkit backend-train data/train/utt2spk scp:exp/ivector.scp exp/backend.npz
e.g.: asdkit backend-train --steps center,posterior-whiten,length-norm,cosine \
        --extractor exp/extractor data/train/utt2spk scp:exp/ivector.scp exp/cosine.npz

Utterances without a speaker, or without a vector, are counted and skipped; skipping
more than are kept is an error.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from asdkit.backends.registry import MAPS, SCORERS, STEPS, step_names
from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile

if TYPE_CHECKING:
    import numpy as np

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
    of_lda = "lda_dim", "total_covariance_factor"
    add_options(parser.add_argument_group("lda"), STEPS["lda"], *of_lda)
    of_plda = "num_iters", "normalize_length", "simple_length_norm", "smoothing"
    add_options(parser.add_argument_group("plda"), STEPS["plda"], *of_plda)
    both = parser.add_argument_group("lda and plda")
    add_options(both, STEPS["lda"], "covariance_floor")
    whitening = parser.add_argument_group("posterior-whiten")
    add_options(whitening, STEPS["posterior-whiten"], "whiten")
    whitening.add_argument(
        "--extractor",
        metavar="DIR",
        help="directory with the extractor.npz that made the i-vectors",
    )
    parser.add_argument("utt2spk", help="speaker of every utterance")
    parser.add_argument("vectors", help="rspecifier, e.g. scp:exp/ivector.scp")
    parser.add_argument(
        "backend", type=OutputFile, help="where to write the back-end (.npz)"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    import numpy as np

    from asdkit.backends.pipeline import Pipeline
    from asdkit.io.store import save_arrays
    from asdkit.io.tables import read_words
    from asdkit.io.vectors import read_vectors

    utt2spk = read_words(args.utt2spk)
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
    if "posterior-whiten" in args.steps and args.extractor is not None:
        step = steps[args.steps.index("posterior-whiten")]
        step.know(_precision_of(args.extractor))
    x = vectors.find(utts, args.utt2spk)
    spk = np.array([utt2spk[utt] for utt in utts])
    pipeline = Pipeline(steps).fit(x, spk)
    save_arrays(args.backend, "Pipeline", *pipeline.to_state())


def _precision_of(directory: str) -> np.ndarray:
    """Read an extractor -> (R, R) its average posterior precision."""
    from asdkit.io.store import load_object
    from asdkit.ivector.posterior_precision import average_posterior_precision
    from asdkit.ivector.system import IvectorSystem

    system = load_object(Path(directory) / "extractor.npz", IvectorSystem)
    return average_posterior_precision(system.extractor)
