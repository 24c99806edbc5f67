"""Forms that clients fill in: text and sound files, as multipart/form-data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from asdkit.inference.uploads import Limits, Refusal

Kind = Literal["text", "channel", "file", "files"]
LONGEST_TEXT = 1000  # bytes of a field that is no file
MOST_CHANNELS = 1024
DESCRIPTIONS = {
    "text": "name of the person",
    "channel": "channel to use of files with several, counted from 0",
    "file": "sound file",
    "files": "one or more sound files",
}


@dataclass(frozen=True)
class Form:
    """The fields of a request.

    Attributes:
        kinds: name of each field -> what it holds; "channel" may be left out.
        arguments: names of those that are called otherwise when they are passed on.
    """

    kinds: Mapping[str, Kind]
    arguments: Mapping[str, str] = field(default_factory=dict)


def form_schema(form: Form) -> dict[str, Any]:
    """Describe a form for OpenAPI."""
    file = {"type": "string", "format": "binary"}
    types: dict[str, dict[str, Any]] = {
        "text": {"type": "string"},
        "channel": {"type": "integer", "minimum": 0},
        "file": file,
        "files": {"type": "array", "items": file, "minItems": 1},
    }
    fields = {
        name: types[kind] | {"description": DESCRIPTIONS[kind]}
        for name, kind in form.kinds.items()
    }
    required = [name for name, kind in form.kinds.items() if kind != "channel"]
    schema = {"type": "object", "properties": fields, "required": required}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


async def read_form(request: Any, form: Form, limits: Limits) -> dict[str, Any]:
    """Read a form within limits, into memory and not to disk.

    Args:
        request: of Starlette.
        form: the fields that it may have.
        limits: of the server.

    Returns:
        argument -> text, channel, (name, content) of a file, or a list of these.

    Raises:
        Refusal: it is no form, or lacks a field, or has another one.
    """
    from starlette.formparsers import MultiPartException, MultiPartParser
    from starlette.requests import ClientDisconnect

    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "multipart/form-data":
        problem = f"expected multipart/form-data, got {kind[:100]!r}"
        raise Refusal(415, problem, "curl --form audio=@FILE")
    parser = MultiPartParser(
        request.headers,
        request.stream(),
        max_files=limits.max_files,
        max_fields=len(form.kinds),
        max_part_size=LONGEST_TEXT,
    )
    parser.spool_max_size = 2 * limits.max_bytes  # never written to disk
    try:
        data = await parser.parse()
    except MultiPartException as error:
        status = 413 if error.message.startswith(("Too many", "Part ex")) else 400
        raise Refusal(status, f"expected a form: {error.message}") from None
    except ClientDisconnect:  # no one reads the answer
        raise Refusal(400, "expected the rest of a form") from None
    found: dict[str, list[Any]] = {}
    try:
        items: list[tuple[str, Any]] = data.multi_items()
        for name, value in items:
            if name not in form.kinds:
                expected = f"expected the fields {', '.join(form.kinds)}"
                raise Refusal(422, f"{expected}, got {name[:100]!r}")
            is_text = isinstance(value, str)
            content = value if is_text else (value.filename or "", await value.read())
            found.setdefault(name, []).append(content)
    finally:
        await data.close()
    return {
        form.arguments.get(name, name): _value(name, kind, found.get(name, []))
        for name, kind in form.kinds.items()
    }


def _value(name: str, kind: Kind, values: list[Any]) -> Any:
    """Check what came in a field.

    Raises:
        Refusal: it is missing, comes twice, or is of another kind.
    """
    if kind == "channel" and not values:
        return None
    what = DESCRIPTIONS[kind]
    if not values:
        raise Refusal(422, f"expected a field {name} ({what}), got none")
    if kind != "files" and len(values) > 1:
        raise Refusal(422, f"{name}: expected one, got {len(values)}")
    is_file = kind in ("file", "files")
    if any(isinstance(value, str) == is_file for value in values):
        expected = "a sound file" if is_file else "text"
        raise Refusal(422, f"{name}: expected {expected}")
    if kind == "files":
        return values
    if kind == "channel":
        is_number = re.fullmatch("[0-9]{1,4}", values[0])
        if not is_number or int(values[0]) >= MOST_CHANNELS:
            problem = f"expected a number below {MOST_CHANNELS}"
            raise Refusal(422, f"{name}: {problem}, got {values[0][:20]!r}")
        return int(values[0])
    return values[0]
