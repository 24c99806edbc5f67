"""Kaldi's stored statistics of features, cmvn.scp: told of, or applied.

A model trained on features that were normalized so (``apply-cmvn``) needs them so;
Kaldi's speaker recipes subtract a sliding mean instead and leave cmvn.scp alone.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import numpy as np

from asdkit.base.errors import DataError
from asdkit.data.staging import stage
from asdkit.io.ark import ArkWriter, load_array, read_scp
from asdkit.io.tables import PathName, read_table, write_table

logger = logging.getLogger(__name__)
TABLE = "cmvn.scp"
VARIANCE_FLOOR = 1e-20
Cmvn = Literal["none", "mean", "mean-variance"]


def apply_cmvn(data_dir: PathName, cmvn: Cmvn = "none") -> None:
    """Normalize the stored features of a data directory by the statistics beside them.

    Writes the features to ``normalized/`` in the data directory, lets feats.scp point
    there, and removes cmvn.scp, which must not be applied twice.

    Args:
        data_dir: data directory with feats.scp, and cmvn.scp by speaker or utterance.
        cmvn: use of cmvn.scp: leave it alone (none), subtract its means from the
            features (mean), or divide by its standard deviations, too (mean-variance).

    Raises:
        DataError: there are no statistics of an utterance, or they do not fit its
            features.
    """
    data_dir = Path(data_dir)
    path = data_dir / TABLE
    if cmvn == "none":
        if path.exists():
            logger.info(
                "kaldi-import: %s comes along and is not applied, as in Kaldi's "
                "speaker recipes; --cmvn mean does what apply-cmvn does",
                path,
            )
        return
    if not path.exists() or not (data_dir / "feats.scp").exists():
        problem = f"expected feats.scp and {TABLE}, to apply --cmvn {cmvn}"
        raise DataError(data_dir, problem)
    statistics, feats = read_scp(path), read_scp(data_dir / "feats.scp")
    utt2spk = read_table(data_dir / "utt2spk")
    by_utt = bool(statistics.keys() & feats.keys())
    with ArkWriter(data_dir / "normalized", "feats") as writer:
        for utt, location in feats.items():
            key = utt if by_utt else utt2spk[utt]
            if key not in statistics:
                kind = "utterance" if by_utt else "speaker"
                raise DataError(path, f"no statistics of {kind} {key!r}")
            stats = load_array(key, statistics[key])
            x = load_array(utt, location)
            if stats.shape != (2, x.shape[1] + 1) or not stats[0, -1] > 0:
                problem = f"expected statistics of (2, {x.shape[1] + 1}) and frames"
                raise DataError(path, f"{key!r}: {problem}, got {stats.shape}")
            writer[utt] = normalize(x, stats, cmvn == "mean-variance")
    with stage(data_dir, replaces=[TABLE]) as staged:
        write_table(staged / "feats.scp", read_table(writer.scp))
    kind = "utterance" if by_utt else "speaker"
    logger.info("kaldi-import: %s applied, by %s", path, kind)


def normalize(x: np.ndarray, stats: np.ndarray, with_variance: bool) -> np.ndarray:
    """Subtract a stored mean, and divide by the standard deviation if asked to.

    Args:
        x: (T, D) features.
        stats: (2, D + 1) sums and sums of squares; the count stands after the sums.
        with_variance: divide.

    Returns:
        (T, D) float32.

    Source: Kaldi, src/transform/cmvn.cc, ApplyCmvn.
    """
    sums, squares = np.asarray(stats, np.float64)
    mean = sums[:-1] / sums[-1]
    y = x - mean
    if with_variance:
        variance = squares[:-1] / sums[-1] - mean**2
        y = y / np.sqrt(np.maximum(variance, VARIANCE_FLOOR))
    return y.astype(np.float32)
