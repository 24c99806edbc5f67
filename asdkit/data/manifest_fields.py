"""Check the fields of manifests: text, numbers, plausible sizes.

lhotse accepts whatever the JSON holds, and errors show up only where a field is used,
if at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

LARGEST = 1 << 53  # integers beyond are no longer exact as floats


class Field(NamedTuple):
    """The allowed values of a field.

    Attributes:
        expected: description.
        allows: tells whether a value is allowed.
    """

    expected: str
    allows: Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """Tell whether a value is text that a file can hold; JSON has halves of letters."""
    return isinstance(value, str) and (value.isascii() or _is_utf8(value))


def is_count(value: Any, least: int = 0) -> bool:
    """Tell whether a value is an integer of at least this size; booleans are not."""
    return type(value) is int and least <= value < LARGEST


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < LARGEST and math.isfinite(value)


def _are_channels(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_count, value))


def _are_parts(value: Any) -> bool:
    """Tell whether a value is a list of beginnings and ends."""
    return isinstance(value, list) and all(
        isinstance(part, list) and len(part) == 2 and all(map(_is_seconds, part))
        for part in value
    )


TEXT = Field("text in UTF-8", is_text)
TEXT_OR_NULL = Field("text in UTF-8 or null", lambda x: x is None or is_text(x))
COUNT = Field("an integer from 1", lambda x: is_count(x, least=1))
CHANNEL = Field("a channel, counted from 0", is_count)
CHANNELS = Field(
    "a list of channels, counted from 0", lambda x: x is None or _are_channels(x)
)
LENGTH = Field("seconds, not below 0", lambda x: _is_seconds(x) and x >= 0)
SECONDS = Field("seconds", _is_seconds)
OBJECT = Field("an object or null", lambda x: x is None or isinstance(x, dict))
LIST = Field("a list or null", lambda x: x is None or isinstance(x, list))

NEEDED_BY_RECORDINGS = ("sources", "sampling_rate", "num_samples")
NEEDED_BY_SUPERVISIONS = ("recording_id", "start", "duration")
SOURCE = {"channels": Field("a list of channels, counted from 0", _are_channels)}
RECORDING = {
    "sampling_rate": COUNT,
    "num_samples": Field("an integer from 0", is_count),
    "duration": LENGTH,
    "channel_ids": CHANNELS,
    "transforms": LIST,
}
SUPERVISION = {
    "recording_id": TEXT,
    "start": SECONDS,
    "duration": SECONDS,  # data-validate lists those that are not above 0
    "channel": CHANNEL,
    **dict.fromkeys(("speaker", "gender", "language", "text"), TEXT_OR_NULL),
    "custom": OBJECT,
    "alignment": OBJECT,
}
CUSTOM = {
    **dict.fromkeys(("attack", "codec", "subset", "environment"), TEXT),
    "spoofed": Field("a list of [begin, end] in seconds", _are_parts),
}


def is_recording(item: Mapping[str, Any]) -> bool:
    """Tell a recording, perhaps a damaged one, from a supervision."""
    return not item.keys().isdisjoint(NEEDED_BY_RECORDINGS)


def find_missing_field(item: Mapping[str, Any]) -> str | None:
    """Name the first required field that an item lacks; None if all are there."""
    needed = NEEDED_BY_SUPERVISIONS
    if is_recording(item):
        needed = NEEDED_BY_RECORDINGS
    return next((name for name in needed if name not in item), None)


def find_field_problem(
    item: Mapping[str, Any], fields: Mapping[str, Field]
) -> str | None:
    """Describe the first invalid field of an item.

    Args:
        item: item of a manifest; missing fields are left to `find_missing_field` and
            lhotse.
        fields: `SOURCE`, `RECORDING`, `SUPERVISION` or `CUSTOM`.

    Returns:
        what was expected and found; None if all is well.
    """
    for name, field in fields.items():
        if name in item and not field.allows(item[name]):
            got = repr(item[name])
            got = got if len(got) <= 60 else f"{got[:60]} ..."
            return f"expected {field.expected} as {name}, got {got}"
    return None
