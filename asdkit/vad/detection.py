"""Voice activity decisions for a data directory."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from asdkit.base.distributed import is_main, share, sum_ranks
from asdkit.base.errors import DataError
from asdkit.base.progress import watch
from asdkit.base.provenance import provenance
from asdkit.data.agreement import read_plain, require_agreement
from asdkit.data.derived import origin_of_features
from asdkit.data.feats_info import VAD_INFO, VadInfo, read_info
from asdkit.data.manifests import RECORDINGS, SUPERVISIONS
from asdkit.io.ark import ArkWriter, load_array, read_scp
from asdkit.io.files import write_atomic
from asdkit.io.origins import note_origin
from asdkit.io.tables import PathName, read_table, write_table

logger = logging.getLogger(__name__)

BATCH_FRAMES = 200_000


class Detector(Protocol):
    """Detect speech in many utterances at once.

    Attributes:
        needs_energy: whether the first column of the features must be log energy.
    """

    needs_energy: bool

    def prepare(self, data_dir: PathName) -> None:
        """Prepare for all utterances, identically on every rank."""

    def detect(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) bool, True for speech."""


class EnergyDetector:
    """Decide by energy alone, one utterance at a time.

    Args:
        decide: (T,) log energies -> (T,) bool, True where there is speech.
    """

    needs_energy = True

    def __init__(self, decide: Callable[[np.ndarray], np.ndarray]) -> None:
        self.decide = decide

    def prepare(self, data_dir: PathName) -> None:
        """Do nothing: there is nothing to prepare."""

    def detect(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) bool, True for speech."""
        return [self.decide(matrix[:, 0]) for matrix in feats]


def compute_vad(
    data_dir: PathName,
    out_dir: PathName,
    detector: Detector,
    description: VadInfo | None = None,
) -> None:
    """Write vad.ark and vad.scp, vectors of 0 and 1; vad.scp goes into data_dir, too.

    Args:
        data_dir: data directory with feats.scp.
        out_dir: directory for the archive, and for vad.json if there is a description.
        detector: detector to run.
        description: method and options, recorded for models trained on what it keeps.

    Raises:
        DataError: a feature is missing, NaN or of other audio; the first column is no
            energy where it must be; most utterances have no speech; or a table
            contradicts the manifests.
    """
    manifests = [Path(data_dir) / name for name in (RECORDINGS, SUPERVISIONS)]
    if all(path.exists() for path in manifests):
        require_agreement(data_dir, *map(read_plain, manifests))
    path = Path(data_dir) / "feats.scp"
    table = read_scp(path)
    if not table:
        raise DataError(path, "expected features, got none")
    if detector.needs_energy:
        _require_energy(data_dir)
    detector.prepare(data_dir)
    origin = origin_of_features(data_dir)
    counts = np.zeros(3, np.int64)  # utterances without speech, voiced, all
    with ArkWriter(out_dir, "vad", origin=origin) as writer:
        mine = share(list(table.items()))
        found = (
            decision
            for utts, feats in read_batches(mine)
            for decision in zip(utts, detector.detect(utts, feats), strict=True)
        )
        for utt, voiced in watch(found, len(mine), "vad-compute"):
            writer[utt] = voiced.astype(np.float32)
            counts += (not voiced.any(), voiced.sum(), len(voiced))
            if not voiced.any():
                logger.debug("vad: %s has no speech", utt)
        num_silent, num_voiced, num_frames = sum_ranks(counts).tolist()
        if 2 * num_silent > len(table):
            raise DataError(
                path,
                f"{num_silent} of {len(table)} utterances have no speech",
                hint="lower --vad-energy-threshold or raise --speech-bias, or listen",
            )
    listed = Path(data_dir) / "vad.scp"
    if is_main():
        _write_info(Path(out_dir) / VAD_INFO, description)
        if listed.resolve() != writer.scp.resolve():
            write_table(listed, read_table(writer.scp))
        if origin is not None:
            origin.archives[str(out_dir)] = origin.of
        note_origin(listed, origin)
    logger.info(
        "vad: %d utterances, %.1f %% of %d frames voiced; %d without speech",
        len(table),
        100 * num_voiced / max(1, num_frames),
        num_frames,
        num_silent,
    )


def _write_info(path: Path, description: VadInfo | None) -> None:
    """Write what `read_vad_info` reads; leave no description of older decisions."""
    if description is None:
        path.unlink(missing_ok=True)
        return
    with write_atomic(path) as stream:
        json.dump(
            description._asdict() | {"provenance": provenance()}, stream, indent=2
        )
        stream.write("\n")


def read_batches(
    locations: Iterable[tuple[str, str]],
    max_frames: int = BATCH_FRAMES,
    load: Callable[[str, str], np.ndarray] | None = None,
) -> Iterator[tuple[list[str], list[np.ndarray]]]:
    """Load the frames of a few utterances at a time.

    Args:
        locations: pairs as in feats.scp.
        max_frames: maximum number of frames per batch, unless one utterance has more.
        load: loads one utterance; None for features.

    Yields:
        N ids and their (T, D) features, or what ``load`` gives.

    Raises:
        DataError: they are missing, empty or NaN.
    """
    utts: list[str] = []
    feats: list[np.ndarray] = []
    num_frames = 0
    for utt, location in locations:
        matrix = (load or _load_frames)(utt, location)
        if utts and num_frames + len(matrix) > max_frames:
            yield utts, feats
            utts, feats, num_frames = [], [], 0
        utts.append(utt)
        feats.append(matrix)
        num_frames += len(matrix)
    if utts:
        yield utts, feats


def _require_energy(data_dir: PathName) -> None:
    """Raise if the first column is known not to be energy or C0."""
    info = read_info(data_dir)
    if info is None:
        return
    options = info.options
    first = info.type == "mfcc" or (info.type == "fbank" and options["use_energy"])
    if not first or options["htk_compat"]:
        raise DataError(
            Path(data_dir) / "feats.scp",
            f"expected log energy in the first column, got {info.type} without it",
            hint="feats-compute --type mfcc, or --type fbank --use-energy true",
        )


def _load_frames(utt: str, location: str) -> np.ndarray:
    """Load a matrix whose first column may be energy."""
    feats = load_array(utt, location)
    if feats.ndim != 2 or feats.size == 0:
        raise DataError(location, f"{utt!r}: expected frames, got shape {feats.shape}")
    if not np.isfinite(feats[:, 0]).all():
        raise DataError(location, f"{utt!r}: energy is NaN or infinite")
    return feats
