"""Back-end steps by name: transforms of embeddings, and scorers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from asdkit.base.references import Reference

MAPS: Mapping[str, Reference] = {
    "center": Reference("asdkit.backends.center:Center"),
    "lda": Reference("asdkit.backends.lda:Lda"),
    "posterior-whiten": Reference(
        "asdkit.backends.posterior_whitening:PosteriorWhitening"
    ),
    "length-norm": Reference("asdkit.backends.length_norm:LengthNorm"),
}
SCORERS: Mapping[str, Reference] = {
    "plda": Reference("asdkit.backends.plda:Plda"),
    "cosine": Reference("asdkit.backends.cosine:Cosine"),
    "dot": Reference("asdkit.backends.cosine:Dot"),
}
STEPS: Mapping[str, Reference] = {**MAPS, **SCORERS}


def step_names(text: str) -> tuple[str, ...]:
    """Parse ``center,length-norm,cosine``: any number of maps, then one scorer.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    *maps, scorer = names = tuple(text.split(","))
    for name, known in [*((name, MAPS) for name in maps), (scorer, SCORERS)]:
        if name not in known:
            place = "the last step" if known is SCORERS else "a step before the last"
            raise argparse.ArgumentTypeError(
                f"expected {place} to be one of {', '.join(known)}; got {name!r}"
            )
    return names
