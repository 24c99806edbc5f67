"""The files of a bundle: an index, and a checksum of everything else.

    bundle.json      what it is: options, decision, licence, checksums of all files
    speaker.onnx     samples -> embedding
    cm.onnx          samples -> score of a countermeasure
    backend.npz, cohort.npz, calibration.npz, cm_calibration.npz
    card.json        how often the threshold errs, and on whom
    cm_card.json     the same of the countermeasure, attack by attack

Nothing in it is executed; every file is compared with its checksum when it is opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName

INDEX = "bundle.json"
CARD, CM_CARD = "card.json", "cm_card.json"
KIND = "asdkit bundle"
VERSION = 1
COPY = "copy the bundle again, or make it anew with asdkit bundle-make"


def read_index(path: PathName) -> dict[str, Any]:
    """Read what a bundle says that it is.

    Raises:
        DataError: it is no bundle, of a later version, or damaged.
    """
    index = Path(path) / INDEX
    if not index.is_file():
        hint = "asdkit bundle-make makes one"
        raise DataError(path, f"no bundle: it has no {INDEX}", hint=hint)
    about = read_json(index)
    if not isinstance(about, dict) or about.get("kind") != KIND:
        raise DataError(index, f"expected an {KIND}", hint=COPY)
    if about.get("version") != VERSION:
        problem = f"expected version {VERSION}, got {about.get('version')!r}"
        raise DataError(index, problem, hint="it is of another asdkit")
    return about


def unchanged_files(path: PathName, digests: Mapping[str, str]) -> dict[str, Path]:
    """Compare the files of a bundle with their checksums; return their paths.

    Raises:
        DataError: a file is missing, has changed, or is not in the bundle.
    """
    files = {}
    for name, digest in digests.items():
        if Path(name).name != name:
            problem = f"{name!r} is no name of a file in it"
            raise DataError(Path(path) / INDEX, problem)
        file = Path(path) / name
        if digest_of(file) != digest:
            raise DataError(file, "it has changed since it was made", hint=COPY)
        files[name] = file
    return files


def digest_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        DataError: it is missing, or no file: a device would never end.
    """
    if not path.is_file():
        raise DataError(path, "missing from the bundle, or not a file", hint=COPY)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: it is damaged, or cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise DataError(path, f"damaged: {error}", hint=COPY) from None
