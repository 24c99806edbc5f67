"""Self-describing tensor files: networks and checkpoints.

What `asdkit.io.store` is for numpy arrays.  PyTorch's own format is read with
``weights_only=True``, which builds tensors and plain containers and runs nothing.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from typing import Any

import torch

from asdkit.base.errors import DataError
from asdkit.base.provenance import provenance
from asdkit.io.checksums import DAMAGES, verify_zip
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName


def save_tensors(
    path: PathName, kind: str, options: Mapping[str, Any], tensors: Mapping[str, Any]
) -> None:
    """Write a file of tensors, atomically.

    Args:
        path: the file, by convention ``.pt``.
        kind: kind of content.
        options: JSON values.
        tensors: tensors, numbers and texts in dictionaries and lists, nested to any
            depth.
    """
    header = {"kind": kind, "options": dict(options), "provenance": provenance()}
    with write_atomic(path, "wb") as stream:
        torch.save({"header": json.dumps(header), "tensors": dict(tensors)}, stream)


def load_tensors(path: PathName, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a file of one kind, onto the CPU.

    Returns:
        the options and the tensors, as they were given to `save_tensors`.

    Raises:
        DataError: missing, damaged, or a file of another kind.
    """
    header, tensors = _load(path)
    if header["kind"] != kind:
        raise DataError(path, f"expected a {kind} file, got {header['kind']!r}")
    return header["options"], tensors


def describe(path: PathName) -> dict[str, Any]:
    """Read a file's description: kind, options, provenance, tensors."""
    header, tensors = _load(path)
    return header | {"tensors": _shapes(tensors)}


def _load(path: PathName) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and tensors; explain if it is not such a file."""
    try:
        verify_zip(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        return json.loads(content["header"]), content["tensors"]
    except FileNotFoundError:
        raise DataError(path, "no such file") from None
    except (*DAMAGES, TypeError, pickle.UnpicklingError) as error:
        what = re.split(r"\n|\. ", str(error))[0]  # PyTorch goes on with advice
        raise DataError(
            path, f"not an asdkit file, or damaged: {type(error).__name__}: {what}"
        ) from None


def _shapes(value: Any) -> Any:
    """Replace every tensor by a text with its shape and dtype."""
    if isinstance(value, Mapping):
        return {str(name): _shapes(item) for name, item in value.items()}
    if isinstance(value, torch.Tensor):
        return f"{list(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return value
