"""Locate and read the parts of a Kaldi experiment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.ranges import Natural, NonNegative
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import load_array, read_arrays, read_scp, stack_vectors
from asdkit.io.vectors import Vectors

Part = Literal["train", "test"]
Place = Annotated[str, "PATH,..."]


class NotFoundError(AsdkitError):
    """Report what the experiment lacks; the stage that needs it is skipped."""


@dataclass(frozen=True)
class Experiment:
    """A directory in which a Kaldi recipe ran, and the settings it ran with.

    A place is a path relative to the root; of several, separated by commas, the first
    that exists counts.  ``{train}`` and ``{test}`` stand for the names of the data,
    ``{part}`` for either.  The defaults find what Kaldi's sid recipes leave behind,
    and asdkit's own golden files.

    Args:
        root: the directory; relative paths in its tables start from it.
        train: name of the training data.
        test: name of the test data.
        conf: location of mfcc.conf, vad.conf and fbank.conf.
        data: location of wav.scp and utt2spk of a part.
        feats: features of a part.
        vad: voice activity decisions of a part.
        diag_ubm: location of *.dubm and gselect*.gz.
        full_ubm: location of *.ubm and gselect*.gz.
        extractor: location of *.ie, final.ubm, final.dubm and post*.gz.
        ivectors: i-vectors of a part.
        backend: location of mean.vec, transform.mat, plda and plda_adapt.
        trials: trials, with trials_multi and enroll.spk2utt, if any, beside them.
        plda_scores: scores from plda, with those of trials_multi (*_multi) beside them.
        adapted_scores: scores from plda_adapt.
        cosine_scores: dot products after centering and length normalization.
        xvector_net: location of final.raw, extract.config and the sizes of chunks.
        xvector_feats: features of a part without a sliding mean and without pauses.
        xvectors: x-vectors of a part.
        xvector_backend: location of mean.vec, transform.mat, plda and plda_adapt for
            x-vectors.
        xvector_scores: scores of x-vectors from plda; without i-vectors, also where
            plda_scores is.
        xvector_adapted_scores: scores of x-vectors from plda_adapt.
        num_utts: number of utterances to recompute features, posteriors, i-vectors and
            x-vectors for; 0: all.
        allow_pipes: run recordings that are shell commands (wav.scp lines ending in a
            pipe).
        within_covar_scale: share of the excess variance added to the within-speaker
            covariance when Kaldi adapted plda.
        between_covar_scale: share of the excess variance added to the between-speaker
            covariance when Kaldi adapted plda.
        frontend: between features and models.
        alignment: what `asdkit.gmm.aligner.Aligner` takes by keyword.
        lda: what `asdkit.backends.lda.Lda` takes by keyword.
    """

    root: Path
    train: str = "train"
    test: str = "test"
    conf: Place = "conf,."
    data: Place = "data/{part}"
    feats: Place = "data/{part}/feats.scp,feats/mfcc_{part}.ark"
    vad: Place = "data/{part}/vad.scp,feats/vad_{part}.ark"
    diag_ubm: Place = "exp/diag_ubm,diag_ubm"
    full_ubm: Place = "exp/full_ubm,full_ubm"
    extractor: Place = "exp/extractor,extractor"
    ivectors: Place = "exp/ivectors_{part}/ivector.scp,ivectors/{part}.ark"
    backend: Place = "exp/ivectors_{train},backend"
    trials: Place = "data/{test}/trials"
    plda_scores: Place = "exp/scores_{test},scores/plda_scores"
    adapted_scores: Place = "exp/scores_{test}_adapt,scores/plda_adapt_scores"
    cosine_scores: Place = "exp/scores_{test}_cosine,scores/cos_scores"
    xvector_net: Place = "exp/xvector_nnet_1a,exp/xvector_nnet"
    xvector_feats: Place = "data/{part}_no_sil/feats.scp"
    xvectors: Place = (
        "exp/xvector_nnet_1a/xvectors_{part}/xvector.scp,"
        "exp/xvectors_{part}/xvector.scp"
    )
    xvector_backend: Place = "exp/xvector_nnet_1a/xvectors_{train},exp/xvectors_{train}"
    xvector_scores: Place = (
        "exp/scores_{test}_xvector,exp/xvector_nnet_1a/scores_{test}"
    )
    xvector_adapted_scores: Place = (
        "exp/scores_{test}_xvector_adapt,exp/xvector_nnet_1a/scores_{test}_adapt"
    )
    num_utts: Natural = 100
    allow_pipes: bool = False
    within_covar_scale: NonNegative = 0.75
    between_covar_scale: NonNegative = 0.25
    frontend: FrontEnd = field(default_factory=FrontEnd)
    alignment: Mapping[str, Any] = field(default_factory=dict)
    lda: Mapping[str, Any] = field(default_factory=dict)

    def place(self, of: str, part: Part = "train") -> Path:
        """Find a place, e.g. "conf" or "feats".

        Raises:
            NotFoundError: none of the alternatives exists.
        """
        names = {"train": self.train, "test": self.test, "part": getattr(self, part)}
        alternatives = getattr(self, of).format(**names).split(",")
        for alternative in alternatives:
            if (self.root / alternative).exists():
                return self.root / alternative
        raise NotFoundError(" or ".join(alternatives))

    def exists(self, of: str, part: Part = "train") -> bool:
        """Tell whether one of the alternatives of a place exists."""
        try:
            return self.place(of, part).exists()
        except NotFoundError:
            return False

    def file(self, of: str, name: str, part: Part = "train") -> Path:
        """Find a file by its name in a place.

        Raises:
            NotFoundError: there is no such place, or no such file in it.
        """
        path = self.place(of, part) / name
        if not path.exists():
            raise NotFoundError(self.show(path))
        return path

    def files(self, of: str, *patterns: str) -> list[Path]:
        """Find the files of a place that match one of the patterns, 2.x before 10.x.

        Raises:
            NotFoundError: there is no such place, or no such file in it.
        """
        place = self.place(of)
        found = [path for pattern in patterns for path in place.glob(pattern)]
        if not found:
            raise NotFoundError(self.show(place / patterns[0]))
        return sorted(found, key=_number_then_name)

    def kept(self, pattern: str) -> list[Path]:
        """Find files below the root that recipes usually delete.

        Raises:
            NotFoundError: there are none.
        """
        if not (found := sorted(self.root.glob(pattern))):
            raise NotFoundError(pattern)
        return found

    def show(self, path: Path) -> str:
        """Name a file relative to the root."""
        return str(path.relative_to(self.root))

    def first(self, items: Iterator[Any]) -> Iterator[Any]:
        """Keep as many utterances as are to be recomputed."""
        return itertools.islice(items, self.num_utts or None)

    def rooted(self, path: str) -> str:
        """Resolve a relative path in a table against the root."""
        return str(self.root / path)

    def arrays(self, path: Path) -> Iterator[tuple[str, np.ndarray]]:
        """Read an archive, or what a table points to."""
        if path.suffix != ".scp":
            yield from read_arrays(f"ark:{path}")
            return
        for key, location in read_scp(path).items():
            yield key, load_array(key, self.rooted(location))

    def vectors(self, part: Part) -> Vectors:
        """Read the i-vectors of a part."""
        path = self.place("ivectors", part)
        return Vectors(str(path), *stack_vectors(self.arrays(path), str(path)))

    def voiced_frames(self, part: Part) -> Iterator[tuple[str, np.ndarray]]:
        """Run the front end on Kaldi's features: utterance and (V, D) frames.

        Raises:
            NotFoundError: there are no features or no decisions.
            DataError: an utterance's features and decisions differ in length.
        """
        path = self.place("vad", part)
        decisions = self.arrays(path)
        waiting: dict[str, np.ndarray] = {}
        for utt, feats in self.arrays(self.place("feats", part)):
            # Both archives are sorted, but one may have more utterances.
            while utt not in waiting and (entry := next(decisions, None)):
                waiting[entry[0]] = entry[1]
            if utt not in waiting:
                continue
            voiced = waiting.pop(utt) != 0
            if len(voiced) != len(feats):
                problem = f"{utt!r}: {len(feats)} frames, {len(voiced)} decisions"
                raise DataError(path, problem)
            if voiced.any():
                yield utt, self.frontend(feats, voiced)


def _number_then_name(path: Path) -> tuple[float, str]:
    """Sort 0.ie, 1.ie, ..., 10.ie, final.ie."""
    number = path.name.partition(".")[0]
    return (int(number) if number.isdecimal() else np.inf, path.name)
