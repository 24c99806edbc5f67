"""Adapt a PLDA back-end to a new domain, unsupervised.

e.g.: asdkit backend-adapt backend.npz scp:exp/ivectors/dev/ivector.scp adapted.npz

The other steps of the back-end are unchanged.
"""

from __future__ import annotations

import argparse

from asdkit.base.errors import DataError
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.backends.adaptation:adapt_plda",
        "within_covar_scale",
        "between_covar_scale",
        "mean_diff_scale",
    )
    parser.add_argument("backend", help="back-end that ends in plda (.npz)")
    parser.add_argument("vectors", help="rspecifier of the new domain's vectors")
    parser.add_argument(
        "adapted", type=OutputFile, help="where to write the adapted back-end (.npz)"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.backends.adaptation import adapt_plda
    from asdkit.backends.pipeline import Pipeline
    from asdkit.backends.plda import Plda
    from asdkit.io.store import load_object, save_arrays
    from asdkit.io.vectors import read_vectors

    pipeline = load_object(args.backend, Pipeline)
    *maps, plda = pipeline.steps
    if not isinstance(plda, Plda):
        kind = type(plda).__name__
        raise DataError(args.backend, f"expected a back-end with PLDA, got {kind}")
    vectors = read_vectors(args.vectors, pipeline.input_dim, args.backend)
    x = pipeline.transform(vectors.x)
    adapted = adapt_plda(plda, x, **options_of(adapt_plda, args))
    save_arrays(args.adapted, "Pipeline", *Pipeline([*maps, adapted]).to_state())
