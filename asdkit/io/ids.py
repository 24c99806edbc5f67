"""Find the one systematic difference between the ids of two files, e.g. a suffix."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection
from typing import NamedTuple

SUFFIX = re.compile(r"\.(?:wav|flac|mp3|ogg|opus|m4a|aac|sph|npy|pt|txt)$", re.I)
MOST = 0.9  # share of the ids that a rule must explain


def _without_suffix(name: str) -> str:
    return SUFFIX.sub("", name)


def _without_folder(name: str) -> str:
    return name.rpartition("/")[2]


def _bare(name: str) -> str:
    return _without_suffix(_without_folder(name))


def _joined(name: str) -> str:
    return _without_suffix(name).replace("/", "-")


RULES: dict[str, Callable[[str], str]] = {
    "by a suffix": _without_suffix,
    "by a path": _without_folder,
    "by a path and a suffix": _bare,
    "in upper and lower case": str.casefold,
}


def _below(names: Collection[str]) -> Callable[[str], str]:
    """Make a rule that leaves out the folder that all names share."""
    both = zip(
        *(name.split("/")[:-1] for name in (min(names), max(names))), strict=False
    )
    shared = itertools.takewhile(lambda parts: parts[0] == parts[1], both)
    folder = "".join(f"{part}/" for part, _ in shared)
    return lambda name: name.removeprefix(folder)


class Renaming(NamedTuple):
    """A mapping of the ids of one file to those of another.

    Attributes:
        names: id -> id of the other file.
        text: what they differ by, with an example.
    """

    names: dict[str, str]
    text: str


def find_renaming(wanted: Collection[str], found: Collection[str]) -> Renaming | None:
    """Find one rule by which all ids of a file are those of another.

    Besides the rules of `find_difference`, ``id10270/x6uYqmx31kE/00001.wav`` may be
    written ``id10270-x6uYqmx31kE-00001``, as Kaldi does.

    Args:
        wanted: ids of one file.
        found: ids of the other.

    Returns:
        None if all are the same, or no rule gives each of ``found`` an id of its own.

    Example:
        >>> find_renaming(["a.wav", "b.wav"], ["b", "a"]).names
        {'b': 'b.wav', 'a': 'a.wav'}
    """
    if set(found) <= set(wanted):
        return None
    rules = {how: (rule, rule) for how, rule in RULES.items()}
    rules["as '/' and '-'"] = _joined, _joined
    rules["by the folder that all are in"] = _below(wanted), _below(found)
    for how, (of_wanted, of_found) in rules.items():
        known = {of_wanted(name): name for name in wanted}
        parts = {name: of_found(name) for name in found}
        names = {name: known[part] for name, part in parts.items() if part in known}
        if len(known) == len(set(wanted)) and len(names) == len(set(found)):
            if len(set(names.values())) < len(names):
                continue  # two would become one
            first, second = next((x, y) for x, y in names.items() if x != y)
            text = f"{len(names)} ids differ {how}, as {first!r} and {second!r}"
            return Renaming(names, text)
    return None


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
