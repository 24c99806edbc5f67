"""Check that Kaldi tables still agree with their manifests.

Programs read the manifests.  If wav.scp, segments or utt2spk were corrected by hand,
they stop with an error instead of giving results for the old contents.
"""

from __future__ import annotations

import gzip
import json
import shlex
import zlib
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from asdkit.base.errors import DataError
from asdkit.data.manifest_fields import CUSTOM, find_missing_field
from asdkit.data.manifest_rules import find_problem, require_content
from asdkit.io.origins import SUPERVISIONS
from asdkit.io.tables import PathName, read_table

TOLERANCE = 0.005  # seconds; times in tables may be rounded to two digits
# Compares a key and its value with the manifests: what these have instead, "" if the
# same; None if the key is not in them.
Compare = Callable[[str, str], str | None]
Get = Callable[[Any, str], Any]


def require_agreement(
    data_dir: PathName, recordings: Mapping[str, Any], supervisions: Mapping[str, Any]
) -> None:
    """Raise if wav.scp, segments, utt2spk or utt2attack contradicts the manifests.

    A table that is not there does not contradict.  Contents are compared, not dates,
    which copies do not keep.

    Args:
        data_dir: with tables.
        recordings: id -> lhotse's `Recording`, or a dictionary of what is in it.
        supervisions: id -> `SupervisionSegment`, likewise.

    Raises:
        DataError: a table says something else, or is malformed.
    """
    first = next(iter(supervisions.values()), None)
    get: Get = dict.get if isinstance(first, dict) else getattr
    used = {get(item, "recording_id") for item in supervisions.values()}

    def compare_wav(reco: str, value: str) -> str | None:
        names = reco, reco.rpartition("-")[0]  # that of a channel is longer
        item = recordings.get(names[0]) or recordings.get(names[1])
        if item is None:
            return "" if used.isdisjoint(names) else None  # "" if no utterance is in it
        sources = [(get(x, "source"), get(x, "channels")) for x in get(item, "sources")]
        same = any(_is_source(value, *source) for source in sources)
        return "" if same else str(sources[0][0])

    def compare_segment(utt: str, value: str) -> str | None:
        if utt not in supervisions:
            return None
        names = ("recording_id", "start", "duration")
        reco, start, duration = (get(supervisions[utt], name) for name in names)
        length = get(recordings[reco], "duration") if reco in recordings else inf
        if _is_segment(value, reco, start, start + duration, length):
            return ""
        return f"{reco} {start:g} {start + duration:g}"

    def compare_speaker(utt: str, value: str) -> str | None:
        if utt not in supervisions:
            return None
        spk = get(supervisions[utt], "speaker") or utt
        return "" if spk == value else spk

    def compare_attack(utt: str, value: str) -> str | None:
        if utt not in supervisions:
            return None
        return _compare_custom(get(supervisions[utt], "custom"), "attack", value)

    for name, compare in {
        "utt2spk": compare_speaker,
        "utt2attack": compare_attack,
        "segments": compare_segment,
        "wav.scp": compare_wav,
    }.items():
        path = Path(data_dir) / name
        if path.exists():
            complete = supervisions if name == "utt2spk" else {}
            _require_same(path, read_table(path), compare, complete)


def require_agreement_of(path: PathName, table: Mapping[str, str]) -> None:
    """Raise if utt2dur, utt2attack or the like contradicts the manifest beside it.

    For programs that are given a table by its path.  Without a manifest there is
    nothing to contradict.

    Args:
        path: of the table.
        table: what is in it.

    Raises:
        DataError: the table says something else, or the manifest is damaged.
    """
    path = Path(path)
    manifest = path.with_name(SUPERVISIONS)
    what = path.name.removeprefix("utt2")
    if what not in ("dur", *CUSTOM) or not manifest.exists():
        return
    supervisions = read_plain(manifest)

    def compare(utt: str, value: str) -> str | None:
        if utt not in supervisions:
            return None
        if what == "dur":
            sec = float(supervisions[utt]["duration"])
            return "" if _is_near(value, sec) else f"{sec:g}"
        return _compare_custom(supervisions[utt].get("custom"), what, value)

    _require_same(path, table, compare, {})


def read_plain(path: Path) -> dict[str, dict[str, Any]]:
    """Read a manifest as dictionaries: id -> dictionary.  lhotse is not imported.

    Raises:
        DataError: it is damaged, or an item is not what `asdkit.data.manifest_rules`
            allows.
    """
    items = {}
    number = 0
    require_content(path)
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                item = json.loads(line)
                if problem := find_problem(item):
                    raise DataError(path, problem, line=number)
                if missing := find_missing_field(item):
                    problem = f"expected a field {missing}, got none"
                    raise DataError(path, problem, line=number)
                items[item["id"]] = item
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        problem = f"not a manifest: {type(error).__name__}: {error}"
        hint = "the file is damaged or cut short; make it again"
        raise DataError(path, problem, line=number or None, hint=hint) from None
    return items


def _require_same(
    path: Path, table: Mapping[str, str], compare: Compare, complete: Mapping[str, Any]
) -> None:
    """Raise at the first line that differs, or if a key of ``complete`` is missing."""
    folder = path.parent
    hint = (
        f"asdkit kaldi-import {folder} {folder} takes over the tables; "
        f"asdkit data-validate --fix true {folder} writes them from the manifests"
    )
    for number, (key, value) in enumerate(table.items(), start=1):
        other = compare(key, value)
        if other:
            problem = f"{key!r} is {value!r}, but {other!r} in the manifests"
            raise DataError(path, problem, line=number, hint=hint)
        if other is None:
            problem = f"{key!r} is not in the manifests"
            raise DataError(path, problem, line=number, hint=hint)
    if missing := sorted(complete.keys() - table.keys()):
        problem = f"{missing[0]!r} of the manifests is not in it"
        raise DataError(path, problem, hint=hint)


def _compare_custom(known: Mapping[str, Any] | None, what: str, value: str) -> str:
    """Say what the manifest has instead of a word; empty if the same or nothing."""
    word = (known or {}).get(what)
    return "" if word in (None, value) else str(word)


def _is_near(text: str, sec: float) -> bool:
    """Tell whether a text is this time, as far as tables are rounded."""
    try:
        return abs(float(text) - sec) < TOLERANCE
    except ValueError:
        return False


def _is_source(value: str, source: Any, channels: Sequence[int]) -> bool:
    """Tell whether wav.scp has this source, perhaps with sox cutting out a channel."""
    name = str(source)
    if value == name or value.rstrip("| ") == name.rstrip("| "):
        return True
    return len(channels) > 1 and (name in value or shlex.quote(name) in value)


def _is_segment(value: str, reco: str, start: float, end: float, length: float) -> bool:
    """Tell whether a line of segments is about this time of a recording."""
    name, *times = value.split()
    # Of several channels in use, each is a recording to Kaldi.
    if reco not in (name, name.rpartition("-")[0]):
        return False
    try:
        first, last = map(float, times[:2])
    except ValueError:
        return False
    last = length if last == -1 else min(last, length)
    return abs(first - start) < TOLERANCE and abs(last - end) < TOLERANCE
