"""Kaldi's tables, derived from the two manifests of a data directory.

These are ``wav.scp segments utt2spk spk2utt utt2dur spk2gender text``, and of spoofed
speech ``utt2attack`` and the other tables of `CUSTOM`.  Without recordings there is
neither ``wav.scp`` nor ``segments``.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asdkit.base.errors import DataError
from asdkit.base.names import find_id_problem
from asdkit.io.origins import SUPERVISIONS
from asdkit.io.tables import PathName, invert

if TYPE_CHECKING:
    from lhotse import AudioSource, Recording, SupervisionSegment

# What spoofed speech is described by; ``custom["attack"]`` is in utt2attack, and so on.
CUSTOM = ("attack", "codec", "subset", "environment")
DERIVED = (
    *("wav.scp", "segments", "utt2spk", "spk2utt", "utt2dur", "spk2gender", "text"),
    *(f"utt2{name}" for name in CUSTOM),
)


def derive_tables(
    recordings: Mapping[str, Recording],
    supervisions: Mapping[str, SupervisionSegment],
) -> dict[str, list[str]]:
    """Make the Kaldi tables that two manifests imply: name -> lines, sorted.

    Recordings without an utterance are left out, as Kaldi wants it.  There is a
    ``segments`` only if an utterance is not its whole recording, and a
    ``spk2gender``, ``text`` or ``utt2attack`` only if something is known.

    Args:
        recordings: by id; may lack those of utterances that have features only.
        supervisions: by id.

    Raises:
        DataError: an id, an attack or the like holds a blank, or an id what
            `asdkit.base.names` does not allow; or an utterance wants a channel that
            its recording does not have.
    """
    tables: dict[str, dict[str, str]] = {name: {} for name in DERIVED}
    names = _name_mono(supervisions)
    whole = True
    for utt, item in supervisions.items():
        spk = item.speaker or utt
        if len(f"{utt} {spk} {item.recording_id}".split()) != 3:
            ids = (utt, spk, item.recording_id)
            raise DataError(SUPERVISIONS, f"expected ids without blanks, got {ids}")
        for name in (utt, spk, item.recording_id):
            if problem := find_id_problem(name):
                raise DataError(SUPERVISIONS, problem)
        tables["utt2spk"][utt] = spk
        tables["utt2dur"][utt] = seconds(item.duration)
        if item.gender and item.gender[0] in "mfMF":
            tables["spk2gender"][spk] = item.gender[0].lower()
        if item.text is not None:
            tables["text"][utt] = item.text
        for name, value in known_of(item).items():
            tables[f"utt2{name}"][utt] = value
        recording = recordings.get(item.recording_id)
        if recording is None:
            continue
        reco = names[item.recording_id, item.channel]
        tables["wav.scp"][reco] = _mono_source(recording, item)
        times = f"{seconds(item.start)} {seconds(item.end)}"
        tables["segments"][utt] = f"{reco} {times}"
        whole = whole and utt == reco and is_whole(item, recording)
    if whole:
        tables["segments"].clear()
    spk2utt = invert(tables["utt2spk"])
    tables["spk2utt"] = {spk: " ".join(utts) for spk, utts in spk2utt.items()}
    return {
        name: [f"{key} {table[key]}".rstrip() for key in sorted(table)]
        for name, table in tables.items()
        if table
    }


def known_of(supervision: SupervisionSegment) -> dict[str, str]:
    """Return the attributes of an utterance under the names of `CUSTOM`.

    Raises:
        DataError: it is not one word.
    """
    custom = supervision.custom or {}
    known = {name: custom[name] for name in CUSTOM if name in custom}
    for name, value in known.items():
        if not isinstance(value, str) or len(value.split()) != 1:
            problem = f"{supervision.id!r}: expected one word for {name}, got {value!r}"
            raise DataError(SUPERVISIONS, problem)
    return known


def seconds(value: float) -> str:
    """Write a time without the noise of binary fractions, e.g. ``1.25``."""
    return f"{value:.8f}".rstrip("0").rstrip(".")


def is_whole(supervision: SupervisionSegment, recording: Recording) -> bool:
    """Tell whether an utterance is as long as its recording, to half a sample."""
    missing = recording.duration - supervision.duration
    return supervision.start == 0 and missing < 0.5 / recording.sampling_rate


def find_source(
    recording: Recording, supervision: SupervisionSegment, path: PathName
) -> AudioSource:
    """Find which of a recording's files holds the channel of an utterance."""
    for source in recording.sources:
        if supervision.channel in source.channels:
            return source
    raise DataError(
        path,
        f"{supervision.id!r}: expected one of the channels {recording.channel_ids} of "
        f"recording {recording.id!r}, got {supervision.channel!r}",
    )


def _name_mono(
    supervisions: Mapping[str, SupervisionSegment],
) -> dict[tuple[str, Any], str]:
    """Name the channels in use: by their recording, if only one of it is in use."""
    used = {(x.recording_id, x.channel) for x in supervisions.values()}
    count = Counter(reco for reco, _ in used)
    return {
        (reco, channel): reco if count[reco] == 1 else f"{reco}-{channel + 1}"
        for reco, channel in used
    }


def _mono_source(recording: Recording, supervision: SupervisionSegment) -> str:
    """What stands in wav.scp, which knows one channel only; sox cuts it out."""
    source = find_source(recording, supervision, SUPERVISIONS)
    is_command = source.type == "command"
    if len(source.channels) == 1:
        return f"{source.source} |" if is_command else str(source.source)
    remix = f"-t wav - remix {source.channels.index(supervision.channel) + 1} |"
    if is_command:
        return f"{source.source} | sox -t wav - {remix}"
    return f"sox {shlex.quote(str(source.source))} {remix}"
