"""The two lhotse manifests of a data directory, read and written.

``recordings.jsonl.gz`` and ``supervisions.jsonl.gz`` own who, when and where; Kaldi's
tables are derived from them (`asdkit.data.manifest_tables`).  A directory without
audio, features only, has no recordings.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input, note_inputs
from asdkit.data.agreement import require_agreement
from asdkit.data.derived import renew_origins
from asdkit.data.manifest_rules import CURE, find_problem, require_content
from asdkit.data.manifest_tables import DERIVED, derive_tables, find_source
from asdkit.data.staging import stage
from asdkit.io.files import write_atomic
from asdkit.io.origins import RECORDINGS, SUPERVISIONS, Origin
from asdkit.io.tables import PathName

if TYPE_CHECKING:
    from lhotse import Recording, SupervisionSegment

# What gzip, JSON and lhotse raise, depending on what is damaged.
DAMAGES = (
    *(OSError, EOFError, zlib.error, ValueError, TypeError, KeyError),
    *(AssertionError, AttributeError, RecursionError),
)


class Utterance(NamedTuple):
    """The source of an utterance's samples, and its speaker.

    Attributes:
        utt: utterance id, the id of the supervision.
        spk: speaker id; the utterance's own id where the speaker is unknown.
        source: path of a sound file, or a command that writes one to its stdout.
        is_command: whether ``source`` is a command.
        start: seconds from the beginning of the source.
        duration: seconds.
        channel: which channel of the source, counted from 0.
        sampling_rate: of the source, in Hz.
        gender: as the manifest has it, None where it is unknown.
        text: transcript, None where unknown.
        custom: name -> value, for the names of
            `asdkit.data.manifest_tables.CUSTOM`; "attack" is "bonafide" where there
            is none; "spoofed" has beginnings and ends where an utterance is in part.
    """

    utt: str
    spk: str
    source: str
    is_command: bool
    start: float
    duration: float
    channel: int
    sampling_rate: int
    gender: str | None = None
    text: str | None = None
    custom: dict[str, Any] | None = None


class Manifests(NamedTuple):
    """Both manifests, by id, ids sorted in the C locale's order."""

    recordings: dict[str, Recording]
    supervisions: dict[str, SupervisionSegment]


def read_manifests(data_dir: PathName, compare: bool = True) -> Manifests:
    """Read both manifests of a data directory.

    Args:
        data_dir: with manifests.
        compare: whether to check that the tables agree.

    Raises:
        DataError: a manifest is missing or damaged, an id comes twice, or a table
            contradicts them.
    """
    from lhotse import Recording, SupervisionSegment

    directory = Path(data_dir)
    manifests = Manifests(
        read_items(directory / RECORDINGS, Recording),
        read_items(directory / SUPERVISIONS, SupervisionSegment),
    )
    note_inputs(lambda: files_of(manifests.recordings.values()))
    if compare:
        require_agreement(directory, *manifests)
    return manifests


def files_of(recordings: Iterable[Recording]) -> Iterator[str]:
    """Name the sound files of recordings; commands have none."""
    for recording in recordings:
        for source in recording.sources:
            if source.type == "file":
                yield source.source


def read_items(path: Path, kind: Any) -> dict[str, Any]:
    """Read one manifest of lhotse objects of one kind.

    Raises:
        DataError: it is missing or damaged, an id comes twice, or an item holds what
            `asdkit.data.manifest_rules` does not allow.
    """
    items = {}
    number = 0
    note_input(path)
    require_content(path)
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                content = json.loads(line)
                if problem := find_problem(content):
                    _refuse(path, number, content, problem)
                item = kind.from_dict(content)
                if item.id in items:
                    raise DataError(path, f"id {item.id!r} comes twice", line=number)
                items[item.id] = item
    except FileNotFoundError:
        raise DataError(
            path,
            "no such manifest",
            hint=f"asdkit kaldi-import {path.parent} DEST makes one from Kaldi tables",
        ) from None
    except DAMAGES as error:
        raise DataError(
            path,
            f"not a manifest of {kind.__name__}s: {type(error).__name__}: {error}",
            line=number or None,
            hint="the file is damaged or cut short; make it again",
        ) from None
    return {key: items[key] for key in sorted(items)}  # UTF-8 order = code point order


def _refuse(path: Path, number: int, content: Any, problem: str) -> NoReturn:
    """Raise for a line of a manifest."""
    name = content.get("id") if isinstance(content, dict) else None
    text = f"{name!r}: {problem}" if isinstance(name, str) else problem
    of_source = "source" in problem or "transform" in problem
    raise DataError(path, text, line=number, hint=CURE if of_source else None)


def read_utterances(data_dir: PathName) -> list[Utterance]:
    """Read the audio location of every utterance, sorted by utterance id.

    Raises:
        DataError: a manifest is missing or damaged, there is no utterance, or one
            has no audio that can be read.
    """
    manifests = read_manifests(data_dir)
    path = Path(data_dir) / SUPERVISIONS
    if not manifests.supervisions:
        raise DataError(path, "expected utterances, got none")
    return [
        _locate(path, supervision, manifests.recordings)
        for supervision in manifests.supervisions.values()
    ]


def _locate(
    path: Path, supervision: SupervisionSegment, recordings: dict[str, Recording]
) -> Utterance:
    """Find the source of an utterance."""
    utt = supervision.id
    recording = recordings.get(supervision.recording_id)
    if recording is None:
        raise DataError(
            path,
            f"{utt!r}: {RECORDINGS} has no recording {supervision.recording_id!r}",
            hint="a directory imported without wav.scp has features but no audio",
        )
    source = find_source(recording, supervision, path)
    if source.type not in ("file", "command") or recording.transforms:
        what = "transforms" if recording.transforms else f"type {source.type!r}"
        raise DataError(
            path,
            f"{utt!r}: expected recording {recording.id!r} to be a file or a command, "
            f"got {what}",
            hint="save the audio to files first, with lhotse's save_audios",
        )
    return Utterance(
        utt=utt,
        spk=supervision.speaker or utt,
        source=source.source,
        is_command=source.type == "command",
        start=supervision.start,
        duration=supervision.duration,
        channel=source.channels.index(supervision.channel),
        sampling_rate=recording.sampling_rate,
        gender=supervision.gender,
        text=supervision.text,
        custom=supervision.custom,
    )


def write_manifests(
    data_dir: PathName,
    recordings: Iterable[Recording],
    supervisions: Iterable[SupervisionSegment],
    carried: Mapping[str, Sequence[str]] | None = None,
    known: Mapping[str, Origin] | None = None,
    replaces: bool = False,
) -> None:
    """Write both manifests and the Kaldi tables they imply, all or nothing.

    Args:
        data_dir: data directory to write; other files in it stay.
        recordings: recordings in any order; none if there is no audio.
        supervisions: in any order.
        carried: name -> lines of further tables to write; an empty one is not written,
            and removed if present.
        known: tables of known origin, see `asdkit.data.derived.renew_origins`.
        replaces: whether left-over tables belong to the old manifests.
    """
    from lhotse import RecordingSet, SupervisionSet

    by_reco = {item.id: item for item in sorted(recordings, key=lambda item: item.id)}
    by_utt = {item.id: item for item in sorted(supervisions, key=lambda item: item.id)}
    tables = {**derive_tables(by_reco, by_utt), **(carried or {})}
    with stage(data_dir, replaces={*DERIVED, *tables}) as staged:
        RecordingSet.from_recordings(by_reco.values()).to_file(staged / RECORDINGS)
        SupervisionSet.from_segments(by_utt.values()).to_file(staged / SUPERVISIONS)
        write_tables(staged, {name: x for name, x in tables.items() if x})
        renew_origins(data_dir, staged, known or {}, replaces)


def write_tables(directory: Path, tables: Mapping[str, Iterable[str]]) -> None:
    """Write name -> lines; surrogates in them are bytes that are not UTF-8."""
    for name, lines in tables.items():
        text = "".join(f"{line}\n" for line in lines)
        with write_atomic(directory / name, "wb") as stream:
            stream.write(text.encode(errors="surrogateescape"))


def write_utterances(
    data_dir: PathName,
    utterances: Iterable[Utterance],
    carried: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write a data directory in which every utterance is a recording of its own.

    Args:
        data_dir: data directory to write; other files in it stay.
        utterances: each the whole of its file, with one channel.
        carried: as for `write_manifests`.

    Raises:
        ValueError: an utterance is only a part of its source.
    """
    from lhotse import AudioSource, Recording, SupervisionSegment

    recordings, supervisions = [], []
    for utterance in utterances:
        if utterance.start != 0 or utterance.channel != 0:
            raise ValueError(f"{utterance} is not the whole of its source")
        kind = "command" if utterance.is_command else "file"
        recordings.append(
            Recording(
                id=utterance.utt,
                sources=[AudioSource(kind, [0], utterance.source)],
                sampling_rate=utterance.sampling_rate,
                num_samples=round(utterance.duration * utterance.sampling_rate),
                duration=utterance.duration,
            )
        )
        supervisions.append(
            SupervisionSegment(
                id=utterance.utt,
                recording_id=utterance.utt,
                start=0.0,
                duration=utterance.duration,
                speaker=utterance.spk,
                gender=utterance.gender,
                text=utterance.text,
                custom=utterance.custom,
            )
        )
    write_manifests(data_dir, recordings, supervisions, carried, replaces=True)
