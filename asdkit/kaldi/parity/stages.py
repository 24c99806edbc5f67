"""The stages of i-vector and x-vector systems, each checked against Kaldi's files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import asdkit
from asdkit.base.answers import Table
from asdkit.base.errors import AsdkitError, DataError
from asdkit.kaldi.parity import (
    backend,
    frames,
    ivectors,
    mixtures,
    model_files,
    xvectors,
)
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError
from asdkit.kaldi.parity.table import Finding, Row, parity_tables

logger = logging.getLogger(__name__)
XVECTORS = "x-vectors"  # the section that experiments without any do not have


class Stage(NamedTuple):
    """One check of the report."""

    section: str
    name: str
    check: Callable[[Experiment], Iterator[Finding]]


def _files(of: str, *patterns: str) -> Callable[[Experiment], Iterator[Finding]]:
    """Check that the model files of a place survive import and export unchanged."""
    return partial(model_files.check_files, of=of, patterns=patterns)


def _of_xvectors() -> list[Stage]:
    """List the stages of x-vectors, whose back-end is that of i-vectors."""
    frames_of, embeddings_of = xvectors.check_frames, xvectors.check_embeddings
    checks: dict[str, Callable[[Experiment], Iterator[Finding]]] = {
        "CMN and voiced frames, train": partial(frames_of, part="train"),
        "CMN and voiced frames, test": partial(frames_of, part="test"),
        "network in and out": xvectors.check_network,
        "x-vectors, train": partial(embeddings_of, part="train"),
        "x-vectors, test": partial(embeddings_of, part="test"),
        "mean": xvectors.on_xvectors(backend.check_mean),
        "LDA": xvectors.on_xvectors(backend.check_lda),
        "PLDA": xvectors.on_xvectors(backend.check_plda),
        "adapted PLDA": xvectors.on_xvectors(backend.check_adaptation),
        "PLDA scores": xvectors.on_xvectors(backend.check_scores, of="plda_scores"),
        "adapted scores": xvectors.on_xvectors(
            backend.check_scores, of="adapted_scores"
        ),
    }
    return [Stage(XVECTORS, name, check) for name, check in checks.items()]


BACKEND = ("mean.vec", "transform.mat", "plda", "plda_adapt")
STAGES = [
    Stage("features", "MFCC, train", partial(frames.check_mfcc, part="train")),
    Stage("features", "MFCC, test", partial(frames.check_mfcc, part="test")),
    Stage("features", "filter banks", frames.check_fbank),
    Stage("features", "VAD, train", partial(frames.check_vad, part="train")),
    Stage("features", "VAD, test", partial(frames.check_vad, part="test")),
    Stage("features", "front end", frames.check_front_end),
    Stage("model files in and out", "diagonal UBM", _files("diag_ubm", "*.dubm")),
    Stage("model files in and out", "full UBM", _files("full_ubm", "*.ubm")),
    Stage("model files in and out", "extractor", _files("extractor", "*.ie", "*ubm")),
    Stage("model files in and out", "back-end", _files("backend", *BACKEND)),
    Stage("UBM", "diagonal EM", mixtures.check_diagonal_steps),
    Stage("UBM", "full EM", mixtures.check_full_steps),
    Stage("UBM", "posteriors", mixtures.check_posteriors),
    Stage("extractor", "EM", ivectors.check_extractor_steps),
    Stage(
        "extractor", "i-vectors, train", partial(ivectors.check_ivectors, part="train")
    ),
    Stage(
        "extractor", "i-vectors, test", partial(ivectors.check_ivectors, part="test")
    ),
    Stage("back-end", "mean", backend.check_mean),
    Stage("back-end", "LDA", backend.check_lda),
    Stage("back-end", "PLDA", backend.check_plda),
    Stage("back-end", "adapted PLDA", backend.check_adaptation),
    Stage("scores", "PLDA", partial(backend.check_scores, of="plda_scores")),
    Stage("scores", "adapted", partial(backend.check_scores, of="adapted_scores")),
    Stage("scores", "cosine", partial(backend.check_scores, of="cosine_scores")),
    *_of_xvectors(),
]


def compare(experiment: Experiment) -> Iterator[Row]:
    """Check one stage after another.

    A damaged file costs its stage the verdict, not the others.  X-vectors are looked
    for only where there is a network of them, or there are some.

    Yields:
        one or more rows for every stage.
    """
    with_xvectors = any(experiment.exists(x) for x in ("xvector_net", "xvectors"))
    for section, name, check in STAGES:
        if section == XVECTORS and not with_xvectors:
            continue
        logger.info("kaldi-parity: %s: %s", section, name)
        try:
            for finding in check(experiment):
                allowed = finding.limit.allows(finding.difference)
                yield Row(section, name, "ok" if allowed else "differs", finding)
        except NotFoundError as error:
            yield Row(section, name, "not found", note=str(error))
        except AsdkitError as error:
            yield Row(section, name, "differs", note=str(error))


def report(experiment: Experiment) -> tuple[list[Table], int]:
    """Check all stages.

    Returns:
        the tables of all sections, and how many rows differ.

    Raises:
        DataError: there is nothing of a Kaldi experiment.
    """
    rows = list(compare(experiment))
    if all(row.verdict == "not found" for row in rows):
        raise DataError(
            experiment.root,
            "not one file of a Kaldi experiment was found",
            hint="asdkit kaldi-parity --help names the places that are looked at",
        )
    title = f"asdkit {asdkit.__version__} beside Kaldi in {experiment.root}"
    return parity_tables(title, rows), sum(row.verdict == "differs" for row in rows)
