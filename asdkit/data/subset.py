"""Subsets of data directories, and combinations of several."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.ranges import Natural
from asdkit.data.derived import check_derived, join_origins
from asdkit.data.directory import (
    first_word,
    ids_of,
    kind_of,
    read_carried,
    require_another,
    restrict,
)
from asdkit.data.manifests import (
    RECORDINGS,
    SUPERVISIONS,
    Manifests,
    read_manifests,
    write_manifests,
)
from asdkit.io.tables import PathName, read_lines, read_table

logger = logging.getLogger(__name__)


def select(
    manifests: Manifests,
    utts: Collection[str] | None = None,
    spks: Collection[str] | None = None,
    per_spk: Natural = 0,
    longest: Natural = 0,
    random: Natural = 0,
    seed: Natural = 0,
) -> list[str]:
    """Choose utterances; conditions apply one after another, in this order.

    Args:
        manifests: of the data directory.
        utts: utterances to keep; None for all.
        spks: speakers to keep, with their utterances; None for all.
        per_spk: number of utterances to draw from every speaker; 0: all.
        longest: number of utterances to keep, the longest; 0: all.
        random: number of utterances to draw; 0: all.
        seed: random seed of the draws.

    Returns:
        utterance ids, sorted.
    """
    rng = np.random.default_rng(seed)
    items = [
        item
        for item in manifests.supervisions.values()
        if (utts is None or item.id in utts)
        and (spks is None or (item.speaker or item.id) in spks)
    ]
    if per_spk:
        of_spk: dict[str, list[Any]] = {}
        for item in items:
            of_spk.setdefault(item.speaker or item.id, []).append(item)
        items = [x for own in of_spk.values() for x in _draw(own, per_spk, rng)]
    if longest:
        items = sorted(items, key=lambda item: (-item.duration, item.id))[:longest]
    if random:
        items = _draw(items, random, rng)
    return sorted(item.id for item in items)


def _draw(items: Sequence[Any], count: int, rng: np.random.Generator) -> list[Any]:
    """Draw so many without replacement, or all if there are fewer."""
    chosen = rng.permutation(len(items))[:count]
    return [items[i] for i in sorted(chosen)]


def read_list(path: PathName, known: Collection[str]) -> set[str]:
    """Read the first word of every line, e.g. of a list or of another utt2spk.

    Raises:
        DataError: one is not among the known ids.
    """
    words = [first_word(line) for line in read_lines(path)]
    unknown = [n for n, word in enumerate(words, 1) if word and word not in known]
    if unknown:
        raise DataError(
            path,
            f"{words[unknown[0] - 1]!r} is unknown ({len(unknown)} such lines)",
            line=unknown[0],
            hint="take the ids from the data directory's utt2spk or spk2utt",
        )
    return set(words) - {""}


def read_where(data_dir: PathName, condition: str) -> set[str]:
    """List the utterances with given values in a table.

    Args:
        data_dir: data directory with the table.
        condition: e.g. ``utt2attack=bonafide,A01``: one of these values.

    Raises:
        DataError: the condition has another form, the table is missing or malformed,
            or has none of the values.
    """
    name, _, values = condition.partition("=")
    if not values or kind_of(name) != "utt":
        problem = f"expected e.g. utt2attack=bonafide,A01, got {condition!r}"
        raise DataError("--where", problem)
    wanted = set(values.split(","))
    table = read_table(Path(data_dir) / name)
    if absent := sorted(wanted - set(table.values())):
        known = " ".join(sorted(set(table.values()))[:20])
        problem = f"no utterance has the value {absent[0]!r}; there are {known}"
        raise DataError(Path(data_dir) / name, problem)
    return {utt for utt, value in table.items() if value in wanted}


def write_subset(source: PathName, data_dir: PathName, utts: Iterable[str]) -> None:
    """Write the part of a data directory that concerns some utterances.

    Recordings, features, VAD decisions and every other table are restricted with
    them; a trial stays if both its sides do.

    Args:
        source: a directory with manifests.
        data_dir: data directory to write, atomically; not ``source``.
        utts: utterances to keep.

    Raises:
        DataError: no utterance is left, or both directories are the same.
    """
    require_another(data_dir, source)
    before = read_manifests(source)
    after = part_of(before, utts)
    if not after.supervisions:
        raise DataError(source, "no utterance is left", hint="choose more of them")
    known = check_derived(source)
    carried = restrict(read_carried(source), ids_of(before), ids_of(after))
    items = after.recordings.values(), after.supervisions.values()
    write_manifests(data_dir, *items, carried, known, replaces=True)
    logger.info(
        "data-subset: %d of %d utterances, %d of %d speakers",
        len(after.supervisions),
        len(before.supervisions),
        len(ids_of(after).spks),
        len(ids_of(before).spks),
    )


def part_of(manifests: Manifests, utts: Iterable[str]) -> Manifests:
    """Keep some utterances and their recordings."""
    supervisions = {utt: manifests.supervisions[utt] for utt in utts}
    recos = {item.recording_id for item in supervisions.values()}
    recordings = {k: x for k, x in manifests.recordings.items() if k in recos}
    return Manifests(recordings, supervisions)


def write_combined(sources: Sequence[PathName], data_dir: PathName) -> None:
    """Join data directories with different utterances into one.

    A table that not all of them have is left out, and said so, but for trials.

    Raises:
        DataError: an utterance is in two of them, or one id means two recordings or
            two values; or ``data_dir`` is one of them.
    """
    require_another(data_dir, *sources)
    recordings: dict[str, Any] = {}
    supervisions: dict[str, Any] = {}
    for source in sources:
        manifests = read_manifests(source)
        for utt, item in manifests.supervisions.items():
            if utt in supervisions:
                path = Path(source) / SUPERVISIONS
                raise DataError(path, f"{utt!r} is in an earlier directory, too")
            supervisions[utt] = item
        for reco, recording in manifests.recordings.items():
            if recordings.setdefault(reco, recording) != recording:
                path = Path(source) / RECORDINGS
                raise DataError(path, f"{reco!r} is another in an earlier directory")
    known = join_origins([check_derived(source) for source in sources], sources)
    carried = _join([read_carried(source) for source in sources], sources)
    items = recordings.values(), supervisions.values()
    write_manifests(data_dir, *items, carried, known, replaces=True)
    logger.info("data-combine: %d utterances", len(supervisions))


def _join(
    parts: Sequence[dict[str, list[str]]], sources: Sequence[PathName]
) -> dict[str, list[str]]:
    """Join the tables that all directories have, and whatever trials there are."""
    joined = {}
    for name in sorted(set().union(*parts)):
        kind = kind_of(name)
        lacking = [
            s for s, part in zip(sources, parts, strict=True) if name not in part
        ]
        if lacking and kind not in ("trials", "models", "enrolled"):
            logger.warning("data-combine: no %s: %s has none", name, lacking[0])
            continue
        lines = [line for part in parts for line in part.get(name, [])]
        lines = list(dict.fromkeys(lines))
        if kind == "whole" and len(lines) > 1:
            raise DataError(name, f"expected the same everywhere, got {lines}")
        if kind in ("models", "enrolled"):
            lines = _join_models(lines)
        elif kind != "trials":
            lines.sort(key=first_word)
            for line, other in pairwise(lines):
                if first_word(line) == first_word(other):
                    raise DataError(name, f"expected one line, got {line!r}, {other!r}")
        joined[name] = lines
    return joined


def _join_models(lines: Iterable[str]) -> list[str]:
    """Give every model all its utterances."""
    models: dict[str, list[str]] = {}
    for model, *utts in map(str.split, lines):
        models.setdefault(model, []).extend(utts)
    return [" ".join([model, *sorted(models[model])]) for model in sorted(models)]
