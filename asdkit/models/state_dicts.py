"""State dictionaries that other programs wrote: read, checked, and renamed.

Nothing in such a file is executed: torch reads it with ``weights_only=True``, and
safetensors (``*.safetensors``) hold nothing that could be.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input
from asdkit.base.packages import require
from asdkit.io.checksums import DAMAGES, verify_weights
from asdkit.io.origins import digest_file
from asdkit.io.tables import PathName

State = Mapping[str, Tensor]
Shape = tuple[int, ...]
NUM_NAMED = 3  # misfits in a message
SAFETENSORS = "pip install 'asdkit[ssl]'"


def read_state(path: PathName, key: str | None = None) -> dict[str, Tensor]:
    """Read names and tensors, onto the CPU.

    Args:
        path: the checkpoint.
        key: name of the entry that holds them, in checkpoints that have others, too.

    Raises:
        DataError: missing, damaged, or something else than named tensors.
    """
    note_input(path)
    try:
        verify_weights(path)
        content = _load(path)
    except FileNotFoundError:
        raise DataError(path, "no such file") from None
    except IsADirectoryError:
        raise DataError(path, "expected a file, got a directory") from None
    except (*DAMAGES, TypeError, AttributeError, pickle.UnpicklingError) as error:
        what = str(error).strip().partition("\n")[0].partition(". ")[0]
        problem = f"not a checkpoint of tensors, or damaged: {what}"
        raise DataError(path, problem) from None
    if key is not None and isinstance(content, Mapping) and key in content:
        content = content[key]
    if not isinstance(content, Mapping) or not content:
        got = type(content).__name__ if not isinstance(content, Mapping) else "nothing"
        raise DataError(path, f"expected a dictionary of named tensors, got {got}")
    for name, value in content.items():
        if not isinstance(value, Tensor):
            got = f"{type(value).__name__} under {name!r}"
            raise DataError(path, f"expected a dictionary of named tensors, got {got}")
    return {str(name): tensor for name, tensor in content.items()}


def _load(path: PathName) -> Any:
    """Read what torch or safetensors wrote; raise what they raise."""
    if Path(path).suffix != ".safetensors":
        return torch.load(path, map_location="cpu", weights_only=True)
    with open(path, "rb"):
        pass  # whose errors say what is wrong with it
    safetensors = require("safetensors", SAFETENSORS)
    try:
        return require("safetensors.torch", SAFETENSORS).load_file(path)
    except safetensors.SafetensorError as error:
        raise RuntimeError(f"safetensors: {error}") from None


def misfits(state: State, expected: Mapping[str, Shape]) -> list[str]:
    """Say which tensors are missing, of another shape, not finite, or left over."""
    found = []
    for name, shape in expected.items():
        if name not in state:
            found.append(f"tensor {name!r} of shape {tuple(shape)} is missing")
        elif state[name].shape != shape:
            got = tuple(state[name].shape)
            found.append(f"tensor {name!r}: expected shape {tuple(shape)}, got {got}")
        elif not bool(state[name].isfinite().all()):
            found.append(f"tensor {name!r} has values that are not finite")
    for name in state:
        if name not in expected:
            got = tuple(state[name].shape)
            found.append(f"tensor {name!r} of shape {got} is not expected")
    return found


def refuse_misfits(path: PathName, what: str, problems: list[str]) -> None:
    """Raise a DataError that names the first misfits and counts the others.

    Args:
        path: the checkpoint.
        what: what it was expected to be.
        problems: from `misfits`.
    """
    if problems:
        first, rest = problems[:NUM_NAMED], problems[NUM_NAMED:]
        more = f" (and {len(rest)} more)" if rest else ""
        raise DataError(path, f"not the weights of {what}: {'; '.join(first)}{more}")


def source_of(path: PathName, layout: str) -> dict[str, Any]:
    """Describe a checkpoint in the file of the network that is made of it."""
    return {"format": layout, "file": Path(path).name, "digest": digest_file(path)}
