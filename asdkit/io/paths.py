"""What to say of a path that leads nowhere from where a program runs."""

from __future__ import annotations

import os
from pathlib import Path


def relative_hint(path: str | os.PathLike[str]) -> str | None:
    """Tell where a relative path was looked for, and from where it may be found.

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
