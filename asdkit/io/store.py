"""Self-describing model files: arrays and options in one ``.npz``.

Nothing in such a file is ever unpickled or executed: options are JSON, the rest
are arrays.  The first thing in it says which class wrote it, when and how.
"""

from __future__ import annotations

import contextlib
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.estimators import set_arrays, split_state
from asdkit.base.inputs import note_input, renewing
from asdkit.base.provenance import provenance
from asdkit.io.checksums import DAMAGES, verify_zip
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

HEADER = "asdkit"


def save_arrays(
    path: PathName, kind: str, options: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Write a model file, atomically.

    Args:
        path: the file, by convention ``.npz``.
        kind: kind of content, by convention the class name.
        options: JSON values; the constructor's arguments.
        arrays: name -> array, of any shape and numeric dtype.
    """
    header = {"kind": kind, "options": dict(options), "provenance": provenance()}
    with write_atomic(path, "wb") as stream:
        named: dict[str, Any] = {HEADER: np.array(json.dumps(header)), **arrays}
        np.savez(stream, **named)


def load_arrays(path: PathName, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a model file of one kind.

    Returns:
        the options and the arrays, as they were given to `save_arrays`.

    Raises:
        DataError: missing, damaged, or a model of another kind.
    """
    header, arrays = _load(path)
    if header["kind"] != kind:
        raise DataError(path, f"expected a {kind} model, got {header['kind']!r}")
    return header["options"], arrays


def describe(path: PathName) -> dict[str, Any]:
    """Read a model file's description: kind, options, provenance, arrays."""
    header, arrays = _load(path)
    shapes = {name: f"{list(a.shape)} {a.dtype}" for name, a in arrays.items()}
    return header | {"arrays": shapes}


def kind_of(path: PathName) -> str:
    """Read which kind of model a file holds, and none of its arrays.

    Raises:
        DataError: missing, damaged, or no model file.
    """
    with (
        _explaining(path),
        open(path, "rb") as stream,
        np.lib.npyio.NpzFile(stream, allow_pickle=False) as file,
    ):
        return str(json.loads(str(file[HEADER]))["kind"])


def _load(path: PathName) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and arrays; explain if it is not a model file."""
    note_input(path)
    with _explaining(path):
        verify_zip(path)
        with (
            open(path, "rb") as stream,
            # np.load takes other files for pickles, and advises to trust them.
            np.lib.npyio.NpzFile(stream, allow_pickle=False) as file,
        ):
            arrays = {name: file[name] for name in file.files}
        return json.loads(str(arrays.pop(HEADER))), arrays


@contextlib.contextmanager
def _explaining(path: PathName) -> Iterator[None]:
    """Say what is wrong with a file that cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(path, "no such model file") from None
    except DAMAGES as error:
        raise DataError(
            path,
            f"not an asdkit model, or damaged: {type(error).__name__}: {error}",
            hint="copy it again or restore it; kaldi-import converts Kaldi's models",
        ) from None
    except MemoryError as error:
        raise DataError(path, f"its arrays do not fit into memory: {error}") from None


def save_model(path: PathName, model: Any) -> None:
    """Write an estimator: its constructor's arguments and its ``x_`` attributes."""
    save_arrays(path, type(model).__name__, *split_state(model))


def load_model(path: PathName, kind: type[Any]) -> Any:
    """Read an estimator of the given class, ready to use.

    Raises:
        DataError: missing, damaged, another kind of model, or without an array.
    """
    options, arrays = load_arrays(path, kind.__name__)
    with building(path):
        model = kind(**options)
        set_arrays(model, arrays)
    return model


def load_object(path: PathName, kind: type[Any]) -> Any:
    """Read an object of the given class, which has ``to_state`` and ``from_state``.

    Raises:
        DataError: missing, damaged, another kind of model, or without an array.
    """
    options, arrays = load_arrays(path, kind.__name__)
    with building(path):
        return kind.from_state(options, arrays)


def load_checkpoint(path: PathName, kind: type[Any]) -> Any | None:
    """Read like `load_object` a file that this program will overwrite; None if missing.

    Raises:
        DataError: damaged, another kind of model, or without an array.
    """
    with renewing():
        return load_object(path, kind) if Path(path).exists() else None


@contextlib.contextmanager
def building(path: PathName) -> Iterator[None]:
    """Name the file if its contents cannot build an object."""
    try:
        yield
    except KeyError as error:
        raise DataError(path, f"it lacks {error}, or this version does") from None
    except (AsdkitError, IndexError, RuntimeError, TypeError, ValueError) as error:
        what = textwrap.shorten(str(error), 200, placeholder=" ...")
        raise DataError(path, f"this version cannot build it: {what}") from None
