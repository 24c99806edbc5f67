"""Turn ids into file names, and locate the files.

Ids come from others: tables, manifests, protocols, options.  One may hold slashes, as
VoxCeleb's do (``id10270/x6uYqmx31kE/00001``); but whatever it holds, the file is below
the requested directory, and no two ids share a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from asdkit.base.errors import DataError

Path = str | os.PathLike[str]
LONGEST = 255  # bytes between two slashes, on all usual disks
CONTROL = re.compile(r"[\0-\x1f\x7f]")
CURE = "rename it, or leave it out"


def find_id_problem(name: str, suffix: str | None = None) -> str | None:
    """Return why an id is invalid.

    Args:
        name: id of an utterance, a speaker, a recording or an attack.
        suffix: suffix of the file that the id names; None if it names none.

    Returns:
        what was expected and found; None if all is well.
    """
    if suffix is None and ".." not in name and name.isprintable():
        return None
    if CONTROL.search(name):
        return f"expected an id without control characters, got {name!r}"
    try:
        name.encode()
    except UnicodeEncodeError:
        return f"expected an id in UTF-8, got {name!r}"
    parts = name.split("/")
    if ".." in parts:
        return f"expected an id without '..', got {name!r}"
    if suffix is None:
        return None
    if not {"", "."}.isdisjoint(parts):
        return f"expected an id that can be the name of a file, got {name!r}"
    parts[-1] += suffix
    if max(len(part.encode()) for part in parts) > LONGEST:
        return f"expected an id of at most {LONGEST} bytes, got {name!r}"
    return None


def place_files(
    directory: Path, names: Mapping[str, Sequence[str]], suffix: str, source: Path
) -> dict[str, str]:
    """Return where the files of ids lie: ``<directory>/<name>/<name><suffix>``.

    Args:
        directory: directory that holds them.
        names: id -> its names from the directory down, ids themselves.
        suffix: e.g. ``.flac``.
        source: source of the ids, for messages.

    Returns:
        id -> path.

    Raises:
        DataError: an id cannot be a name of a file, or two would have the same file.
    """
    paths = {}
    owners: dict[str, str] = {}
    ignores_case = _ignores_case(directory)
    for key, parts in names.items():
        for part in parts[:-1]:
            _refuse(source, find_id_problem(part, ""))
        _refuse(source, find_id_problem(parts[-1], suffix))
        path = "/".join([os.fspath(directory), *parts]) + suffix
        other = owners.setdefault(path.casefold() if ignores_case else path, key)
        if other != key:
            problem = f"{other!r} and {key!r} would both be written to {path}"
            raise DataError(source, problem, hint=CURE)
        paths[key] = path
    return paths


def _ignores_case(directory: Path) -> bool:
    """Tell whether a disk treats ``A`` and ``a`` as the same name."""
    path = os.path.realpath(directory)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    other = path.swapcase()
    return other != path and os.path.exists(other) and os.path.samefile(path, other)


def _refuse(source: Path, problem: str | None) -> None:
    """Raise if there is a problem."""
    if problem:
        raise DataError(source, problem, hint=CURE)
