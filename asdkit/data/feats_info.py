"""Describe stored features and VAD decisions from the files beside their archives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_table

INFO = "feats.json"
VAD_INFO = "vad.json"
Info = TypeVar("Info", "FeatsInfo", "VadInfo")


class FeatsInfo(NamedTuple):
    """The record of an archive that `asdkit.data.features.compute_features` writes.

    Attributes:
        type: a key of `asdkit.features.registry.FEATURES`.
        dim: D.
        options: the constructor's arguments, and the seed.
    """

    type: str
    dim: int
    options: dict[str, Any]


class VadInfo(NamedTuple):
    """The record that `asdkit.vad.detection.compute_vad` leaves beside an archive.

    Attributes:
        method: its name in vad-compute, e.g. "energy".
        options: all options of that method.
    """

    method: str
    options: dict[str, Any]


def read_info(data_dir: PathName) -> FeatsInfo | None:
    """Describe the features of a data directory; None if there is no record.

    Features that came from Kaldi have no `INFO` beside their archive.

    Raises:
        DataError: feats.scp or the file beside its archive is missing or damaged.
    """
    path = _beside_archive(data_dir, "feats", INFO)
    return parse_feats_info(path) if path.exists() else None


def read_vad_info(data_dir: PathName) -> VadInfo | None:
    """Describe the VAD of a data directory; None if there is no record.

    Raises:
        DataError: vad.scp or the file beside its archive is missing or damaged.
    """
    path = _beside_archive(data_dir, "vad", VAD_INFO)
    return parse_vad_info(path) if path.exists() else None


def parse_feats_info(path: PathName) -> FeatsInfo:
    """Read an `INFO` file.

    Raises:
        DataError: it is missing or damaged.
    """
    return _parse(path, FeatsInfo, "features", "feats-compute")


def parse_vad_info(path: PathName) -> VadInfo:
    """Read a `VAD_INFO` file.

    Raises:
        DataError: it is missing or damaged.
    """
    return _parse(path, VadInfo, "voice activity detection", "vad-compute")


def _beside_archive(data_dir: PathName, table: str, name: str) -> Path:
    """Name a file beside the archive that a table of a data directory points into."""
    locations = read_table(Path(data_dir) / f"{table}.scp").values()
    return Path(next(iter(locations), f"{table}.ark")).with_name(name)


def _parse(path: PathName, kind: type[Info], what: str, program: str) -> Info:
    """Read a description that a program wrote."""
    try:
        info = json.loads(Path(path).read_text())
        return kind(*(info[name] for name in kind._fields))
    except FileNotFoundError:
        raise DataError(path, "no such file", hint=f"{program} writes it") from None
    except (ValueError, KeyError, TypeError) as error:
        problem = f"not a description of {what}: {type(error).__name__}: {error}"
        raise DataError(path, problem, hint=f"{program} writes it") from None
