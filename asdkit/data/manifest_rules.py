"""Safety rules for manifests, which may come from untrusted sources.

lhotse runs a source of the type "command" and fetches one of the type "url" whenever
audio is loaded, wherever the source stands: a transform has a recording of its own.  So
sources are files; only a recording's own may be commands, which no program runs unless
the user allows it (``--allow-pipes``).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asdkit.base.errors import DataError
from asdkit.base.names import find_id_problem
from asdkit.data.manifest_fields import (
    CUSTOM,
    RECORDING,
    SOURCE,
    SUPERVISION,
    find_field_problem,
    is_recording,
    is_text,
)
from asdkit.io.paths import require_file

# What lhotse's methods perturb_speed and resample leave behind, as asdkit calls them.
TRANSFORMS = ("Speed", "Resample")
SOURCES = ("file", "command")
IDS = ("id", "recording_id", "speaker")
CURE = "save the audio to files first, with lhotse's save_audios"


def require_content(path: Path) -> None:
    """Raise if a manifest is empty or not a file.

    Python reads an empty file as gzip data of nothing, and waits at a named pipe.

    Raises:
        DataError: so it is; nothing is raised if there is nothing at all.
    """
    require_file(path)
    if path.exists() and path.stat().st_size == 0:
        hint = "it is damaged or cut short; make it again"
        raise DataError(path, "expected a manifest, got an empty file", hint=hint)


def find_problem(item: Any) -> str | None:
    """Return why a line of a manifest of recordings or supervisions is unsafe.

    Args:
        item: item from the JSON of the line.

    Returns:
        what was expected and what was found; None if all is well.
    """
    if not isinstance(item, dict):
        return f"expected an object, got {_shorten(item)}"
    if not isinstance(item.get("id"), str):
        return f"expected an id in quotes, got {_shorten(item.get('id'))}"
    for name in IDS:
        if (value := item.get(name)) is None:
            continue
        if not isinstance(value, str):
            return f"expected {name} in quotes, got {_shorten(value)}"
        if problem := find_id_problem(value):
            return problem
    fields = RECORDING if is_recording(item) else SUPERVISION
    if problem := find_field_problem(item, fields):
        return problem
    custom = item.get("custom")
    if isinstance(custom, dict) and (problem := find_field_problem(custom, CUSTOM)):
        return problem
    others: Iterable[Any] = item.values()
    if "sources" in item:
        if problem := _check_recording(item, SOURCES):
            return problem
        # What is left of a recording is numbers.
        others = [x for k, x in item.items() if k not in ("sources", "transforms")]
    return _check_nested([x for x in others if isinstance(x, (dict, list))])


def is_safe_name(path: str) -> bool:
    """Tell whether lhotse can open a sound file without running its name as a command.

    It hands the names of .sph files to a shell, and does not quote them.
    """
    return not path.lower().endswith(".sph") or shlex.quote(path) == path


def _check_recording(item: dict[str, Any], types: tuple[str, ...]) -> str | None:
    """Check the sources and transforms of a recording."""
    sources = item["sources"]
    if not isinstance(sources, list):
        return f"expected a list of sources, got {_shorten(sources)}"
    for source in sources:
        if not isinstance(source, dict):
            return f"expected a source, got {_shorten(source)}"
        kind, name = source.get("type"), source.get("source")
        if kind not in types:
            expected = " or a ".join(types)
            return f"expected a {expected}, got a source of type {_shorten(kind)}"
        if not isinstance(name, str) or not name or "\0" in name:
            return f"expected the path of a file, got {_shorten(name)}"
        if not is_text(name):
            return f"expected a path in UTF-8, got {_shorten(name)}"
        if "channels" not in source:
            return f"expected a list of channels, got {_shorten(source)}"
        if problem := find_field_problem(source, SOURCE):
            return problem
    for transform in item.get("transforms") or ():
        if problem := _check_transform(transform):
            return problem
    return None


def _check_transform(transform: Any) -> str | None:
    """Check that a transform is one of `TRANSFORMS`, whose arguments are numbers."""
    if not isinstance(transform, dict) or transform.get("name") not in TRANSFORMS:
        name = transform.get("name") if isinstance(transform, dict) else transform
        return f"expected no transform but {' and '.join(TRANSFORMS)}, got " + (
            _shorten(name)
        )
    values = transform.get("kwargs")
    if not isinstance(values, dict) or not all(map(_is_positive, values.values())):
        return f"expected numbers above 0 for {transform['name']}, got " + (
            _shorten(values)
        )
    return None


def _check_nested(values: list[Any]) -> str | None:
    """Look for recordings and sources anywhere below: these must be files."""
    while values:
        value = values.pop()
        if isinstance(value, dict):
            if "sources" in value and (problem := _check_recording(value, ("file",))):
                return problem
            if "source" in value and value.get("type") != "file":
                kind = _shorten(value.get("type"))
                return f"expected a file, got a source of type {kind}"
            value = [*value, *value.values()]
        if bad := [x for x in value if isinstance(x, str) and not is_text(x)]:
            return f"expected text in UTF-8, got {_shorten(bad[0])}"
        values += [x for x in value if isinstance(x, (dict, list))]
    return None


def _is_positive(value: Any) -> bool:
    """Tell whether a value is a finite number above 0."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 < value < float("inf")


def _shorten(value: Any) -> str:
    """Show a value, or its beginning."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]} ..."
