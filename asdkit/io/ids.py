"""Find the one systematic difference between the ids of two files, e.g. a suffix."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

SUFFIX = re.compile(r"\.(?:wav|flac|mp3|ogg|opus|m4a|aac|sph|npy|pt|txt)$", re.I)
MOST = 0.9  # share of the ids that a rule must explain


def _without_suffix(name: str) -> str:
    return SUFFIX.sub("", name)


def _without_folder(name: str) -> str:
    return name.rpartition("/")[2]


def _bare(name: str) -> str:
    return _without_suffix(_without_folder(name))


RULES: dict[str, Callable[[str], str]] = {
    "by a suffix": _without_suffix,
    "by a path": _without_folder,
    "by a path and a suffix": _bare,
    "in upper and lower case": str.casefold,
}


def find_difference(wanted: Collection[str], found: Collection[str]) -> str | None:
    """Describe a systematic difference between the ids of two files.

    Args:
        wanted: ids of one file.
        found: ids of the other.

    Returns:
        e.g. "71237 ids differ by a suffix, as 'LA_E_1.flac' and 'LA_E_1'"; None if
        no rule explains nearly all of them.

    Example:
        >>> find_difference(["a", "b"], ["x/a", "x/b"])
        "2 ids differ by a path, as 'x/a' and 'a'"
    """
    strangers = sorted(set(found) - set(wanted))
    missing = sorted(set(wanted) - set(found))
    for how, rule in RULES.items():
        known = {rule(name): name for name in missing}
        pairs = [(name, known[rule(name)]) for name in strangers if rule(name) in known]
        if pairs and len(pairs) >= MOST * min(len(strangers), len(missing)):
            first, second = pairs[0]
            return f"{len(pairs)} ids differ {how}, as {first!r} and {second!r}"
    return None
