"""Stored teachers: an archive of vectors, or a trained network."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from asdkit.backends.pipeline import Pipeline
from asdkit.backends.uncertainty import transform_posterior_precision
from asdkit.base.differences import differences
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.ranges import FilePath, FolderPath, Positive, Rspecifier
from asdkit.batches.feature_config import FeatureConfig
from asdkit.distillation.teacher_cache import CachedNetwork
from asdkit.distillation.teachers import NetworkTeacher, Teacher, VectorTeacher
from asdkit.io.store import load_object
from asdkit.io.vectors import read_vectors
from asdkit.models.networks import TrainedNetwork, load_network

logger = logging.getLogger(__name__)
NAMED = 3  # utterances in a message


class StoredTeacher(Protocol):
    """The part of a teacher that training needs before the first batch.

    Attributes:
        takes_chunks: it computes its vectors from the student's chunks.
    """

    takes_chunks: bool

    @property
    def description(self) -> dict[str, Any]:
        """The teacher's identity, as JSON values."""

    def select(self, utts: Sequence[str]) -> Sequence[str]:
        """Return the training utterances that the teacher covers."""

    def front_end_for(
        self, student: FeatureConfig, perturb_speed: bool
    ) -> FeatureConfig | None:
        """Return the teacher's own front end, if it needs another than the student."""

    def teacher(self, classes: Sequence[str], device: str) -> Teacher:
        """Return the teacher, ready for batches of a student with these classes."""


@dataclass(frozen=True)
class TeacherReader:
    """Read a teacher.

    Args:
        teacher: rspecifier of the teacher's vectors, e.g.
            ``scp:exp/ivectors/train/ivector.scp``, or directory with network.pt; None:
            no teacher.
        teacher_transform: back-end (.npz) that transforms the vectors first and, for
            objectives that compare them, scores them; None: no transform, and the
            cosine.
        teacher_precision: rspecifier of the vectors' posterior precisions, as
            ivector-extract writes them; None: no precisions.
        missing_teacher: training utterances without a teacher's vector: stop (error),
            or train without them (skip).
        teacher_cache: directory that caches the teacher network's outputs for later
            trainings; None: no cache.
        teacher_cache_gb: cache size in GB per teacher; outputs beyond it are
            recomputed.
    """

    teacher: Rspecifier | None = None
    teacher_transform: FilePath | None = None
    teacher_precision: Rspecifier | None = None
    missing_teacher: Literal["error", "skip"] = "error"
    teacher_cache: FolderPath | None = None
    teacher_cache_gb: Positive = 10.0

    def read(self) -> StoredTeacher | None:
        """Read the teacher.

        Raises:
            DataError: something is missing, damaged, or does not fit together.
            AsdkitError: options contradict each other.
        """
        extra = self.teacher_transform or self.teacher_precision
        if self.teacher is None:
            if extra := extra or self.teacher_cache:
                raise AsdkitError(f"{extra} needs --teacher")
            return None
        if not Path(self.teacher).is_dir():
            if self.teacher_cache:
                raise AsdkitError(
                    f"--teacher-cache {self.teacher_cache}: vectors are on disk already"
                )
            return StoredVectors(self)
        if extra:
            raise AsdkitError(f"{extra}: only vectors are transformed or weighted")
        return StoredNetwork(self.teacher, self.teacher_cache, self.teacher_cache_gb)


class StoredVectors:
    """Vectors of whole utterances.

    Args:
        options: what to read.

    Raises:
        DataError: missing, damaged, or of another dimension than the back-end takes.
    """

    takes_chunks = False

    def __init__(self, options: TeacherReader) -> None:
        assert options.teacher is not None
        self.options = options
        backend = options.teacher_transform
        maps, dim, self.scorer = [], None, None
        if backend:
            pipeline = load_object(backend, Pipeline)
            *maps, self.scorer = pipeline.steps
            dim = pipeline.input_dim
        vectors = read_vectors(options.teacher, dim, backend or "")
        utts, x, precision = vectors.keys, vectors.x, None
        if options.teacher_precision:
            found = read_vectors(options.teacher_precision, x.shape[1], options.teacher)
            utts = sorted(set(utts) & set(found.keys))
            x = vectors.find(utts, options.teacher_precision)
            precision = found.find(utts, options.teacher)
            if not (precision > 0).all():
                raise DataError(options.teacher_precision, "expected numbers above 0")
            precision = transform_posterior_precision(maps, x, precision)
        for step in maps:
            x = step.transform(x)
        self.utts, self.x, self.posterior_precision = utts, x, precision

    @property
    def description(self) -> dict[str, Any]:
        """Options, and a checksum of the vectors."""
        arrays = (
            [self.x]
            if self.posterior_precision is None
            else [self.x, self.posterior_precision]
        )
        read = {k: v for k, v in asdict(self.options).items() if "cache" not in k}
        return read | {"checksum": _checksum(arrays, self.utts)}

    def select(self, utts: Sequence[str]) -> Sequence[str]:
        """Return the utterances that have a vector.

        Raises:
            DataError: some have none, and these are not to be skipped; or most.
        """
        known = set(self.utts)
        absent = [utt for utt in utts if utt not in known]
        if not absent:
            return utts
        names = ", ".join(absent[:NAMED]) + (", ..." if absent[NAMED:] else "")
        problem = f"{len(absent)} of {len(utts)} training utterances: {names}"
        if self.options.missing_teacher == "skip" and 2 * len(absent) <= len(utts):
            logger.warning("teacher: no vector of %s; skipped", problem)
            return [utt for utt in utts if utt in known]
        raise DataError(
            self.options.teacher or "",
            f"no vector of {problem}",
            hint="extract them, or --missing-teacher skip, if they are fewer than half",
        )

    def front_end_for(self, student: FeatureConfig, perturb_speed: bool) -> None:
        """Return None: vectors need no front end.

        Raises:
            AsdkitError: the student is trained on speeds without vectors.
        """
        if perturb_speed:
            raise AsdkitError(
                "--perturb-speed: a voice at another speed counts as another "
                "speaker, but the teacher has only the vector of the original",
                hint="--perturb-speed false, or a network as --teacher",
            )

    def teacher(self, classes: Sequence[str], device: str) -> VectorTeacher:
        """Return the teacher; neither classes nor device matter."""
        return VectorTeacher(self.utts, self.x, self.posterior_precision, self.scorer)


class StoredNetwork:
    """A network that nnet-train wrote.

    Args:
        directory: with network.pt.
        cache: directory that caches its outputs, see
            `asdkit.distillation.teacher_cache`; None: no cache.
        cache_gb: size of the cache in GB.

    Raises:
        DataError: missing, damaged, or not a network.
    """

    takes_chunks = True

    def __init__(
        self, directory: str, cache: str | None = None, cache_gb: float = 0.0
    ) -> None:
        self.path = Path(directory) / "network.pt"
        self.trained: TrainedNetwork = load_network(self.path)
        self.cache = cache
        self.cache_gb = cache_gb

    @property
    def description(self) -> dict[str, Any]:
        """Its path, and a checksum of its weights."""
        state = self.trained.network.state_dict() | self.trained.loss.state_dict()
        arrays = [tensor.numpy() for tensor in state.values()]
        return {"teacher": str(self.path.parent), "checksum": _checksum(arrays)}

    def select(self, utts: Sequence[str]) -> Sequence[str]:
        """Return all of them: a network computes its own embeddings."""
        return utts

    def front_end_for(
        self, student: FeatureConfig, perturb_speed: bool
    ) -> FeatureConfig | None:
        """Return None if it takes the student's features, else its own front end.

        Raises:
            DataError: they differ, and cannot both be computed from the same audio.
        """
        own = FeatureConfig.read(self.trained.options["features"])
        theirs = own.description | {"source": student.source}  # stored or not, the same
        if theirs == student.description:
            return None
        if student.source == "audio" and own.type and not own.voiced:
            return replace(own, source="audio")
        differing = differences(theirs, student.description, "features")
        raise DataError(
            self.path,
            f"it was trained with {'; '.join(differing)}",
            hint="use the same features for both, or --features to compute them",
        )

    def teacher(self, classes: Sequence[str], device: str) -> NetworkTeacher:
        """Return the frozen network."""
        network, loss, options = self.trained
        if self.cache is not None:
            known = self.cache, self.cache_gb
            network = CachedNetwork(network, options["network"], *known)
        return NetworkTeacher(network, loss, options, classes, device)


def _checksum(arrays: Sequence[np.ndarray], names: Sequence[str] = ()) -> int:
    """Checksum a teacher, so that another under the same name is noticed."""
    total = zlib.crc32("\n".join(names).encode())
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, total)
    return total
