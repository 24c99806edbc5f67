"""Describe stored features from the file beside their archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_table

INFO = "feats.json"


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


def read_info(data_dir: PathName) -> FeatsInfo | None:
    """Describe the features of a data directory; None if there is no record.

    Features that came from Kaldi have no `INFO` beside their archive.

    Raises:
        DataError: feats.scp or the file beside its archive is missing or damaged.
    """
    table = read_table(Path(data_dir) / "feats.scp")
    path = Path(next(iter(table.values()), "feats.ark")).with_name(INFO)
    if not path.exists():
        return None
    try:
        info = json.loads(path.read_text())
        return FeatsInfo(info["type"], info["dim"], info["options"])
    except (ValueError, KeyError, TypeError) as error:
        problem = f"not a description of features: {type(error).__name__}: {error}"
        raise DataError(path, problem, hint="feats-compute writes it") from None
