"""Checks of paths, and hints for those that do not exist."""

from __future__ import annotations

import os
from pathlib import Path

from asdkit.base.errors import DataError


def require_file(path: str | os.PathLike[str]) -> None:
    """Raise if something else stands in place of a file: a named pipe would block.

    Raises:
        DataError: so it is; nothing is raised if there is nothing at all.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise DataError(path, "expected a file, got something else")


def relative_hint(path: str | os.PathLike[str]) -> str | None:
    """Say where a relative path was looked for, and where it might be found.

    Tables such as feats.scp and wav.scp hold paths as their programs were given them,
    so these may be relative to the folder where a recipe runs.

    Args:
        path: of a file that a table names.

    Returns:
        The cure; None if the file exists or the path is absolute.
    """
    if Path(path).is_absolute() or Path(path).exists():
        return None
    here = Path.cwd()
    hint = f"the path is relative and was looked for from {here}"
    above = next((x for x in here.parents if (x / path).exists()), None)
    return f"{hint}; run from {above or 'the folder that it starts from'}"
