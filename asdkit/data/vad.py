"""Voice activity decisions for a data directory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from asdkit.base.distributed import all_reduce, is_main, share
from asdkit.base.errors import DataError
from asdkit.data.features import read_info
from asdkit.io.ark import ArkWriter, load_array, read_scp
from asdkit.io.tables import PathName, read_table, write_table

logger = logging.getLogger(__name__)


def compute_vad(
    data_dir: PathName,
    out_dir: PathName,
    detect: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Write vad.ark and vad.scp, vectors of 0 and 1; vad.scp goes into data_dir, too.

    Args:
        data_dir: has feats.scp, whose first column is log energy or C0.
        out_dir: gets the archive.
        detect: (T,) log energies -> (T,) bool, True where there is speech.

    Raises:
        DataError: a feature is missing or NaN, the first column is no energy, or
            most utterances have no speech.
    """
    path = Path(data_dir) / "feats.scp"
    table = read_scp(path)
    if not table:
        raise DataError(path, "expected features, got none")
    _require_energy(data_dir)
    counts = torch.zeros(3, dtype=torch.int64)  # utterances without speech, voiced, all
    with ArkWriter(out_dir, "vad") as writer:
        for utt, location in share(list(table.items())):
            voiced = detect(_load_energy(utt, location))
            writer[utt] = voiced.astype(np.float32)
            counts += torch.tensor([not voiced.any(), voiced.sum(), len(voiced)])
            if not voiced.any():
                logger.debug("vad: %s has no speech", utt)
        num_silent, num_voiced, num_frames = all_reduce(counts).tolist()
        if 2 * num_silent > len(table):
            raise DataError(
                path,
                f"{num_silent} of {len(table)} utterances have no speech",
                hint="lower --vad-energy-threshold, or listen to the recordings",
            )
    if is_main():
        write_table(Path(data_dir) / "vad.scp", read_table(writer.scp))
    logger.info(
        "vad: %d utterances, %.1f %% of %d frames voiced; %d without speech",
        len(table),
        100 * num_voiced / max(1, num_frames),
        num_frames,
        num_silent,
    )


def _require_energy(data_dir: PathName) -> None:
    """Raise if the first column is known to be something else than energy or C0."""
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


def _load_energy(utt: str, location: str) -> np.ndarray:
    """Load the first column of a matrix."""
    feats = load_array(utt, location)
    if feats.ndim != 2 or feats.size == 0:
        raise DataError(location, f"{utt!r}: expected frames, got shape {feats.shape}")
    if not np.isfinite(feats[:, 0]).all():
        raise DataError(location, f"{utt!r}: energy is NaN or infinite")
    return feats[:, 0]
