"""Validate data directories: each table alone, then all together.

A directory with manifests and a plain Kaldi data directory are both checked.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_finite
from asdkit.data.audio_checks import check_audio
from asdkit.data.derived import list_derived
from asdkit.data.directory import OVERSHOOT, kind_of, table_names
from asdkit.data.manifest_tables import DERIVED, derive_tables
from asdkit.data.manifests import (
    RECORDINGS,
    SUPERVISIONS,
    Manifests,
    read_manifests,
)
from asdkit.data.problems import FIX, Entry, Report, Table, check_table, read_text_lines
from asdkit.io.ark import load_array, load_shape
from asdkit.io.ids import find_difference
from asdkit.io.origins import check_origin
from asdkit.io.paths import relative_hint
from asdkit.io.tables import PathName

# Tables that must speak of every utterance, where they are.
COMPLETE = (
    *("segments", "feats.scp", "vad.scp", "utt2num_frames", "utt2dur", "utt2attack"),
)


def validate(
    data_dir: PathName, check_feats: bool = False, audio: bool = False
) -> Report:
    """Check a data directory for errors of every kind.

    Args:
        data_dir: with manifests, Kaldi tables or both.
        check_feats: read all features and check them for NaN and infinity (slow).
        audio: decode all audio and check its rate, length and channels against the
            manifest, and its samples for NaN and infinity (slow).

    Returns:
        the problems, none if all is well.

    Raises:
        DataError: there is no such directory.
    """
    directory, report = Path(data_dir), Report()
    tables = {
        name: check_table(directory / name, report)
        for name in table_names(directory)
        if kind_of(name) not in ("trials", "whole")
    }
    derived = _check_manifests(directory, report)
    if derived is not None:  # the manifests own these; differences are reported
        own = {name: _as_table(lines) for name, lines in derived.items()}
        tables = {name: x for name, x in tables.items() if name not in DERIVED} | own
    elif "utt2spk" not in tables:
        text, cure = "no such file", f"{FIX} makes it from the manifests or spk2utt"
        report.add(directory / "utt2spk", 0, "missing", text, cure)
    _check_speakers(directory, tables, report)
    _check_ids(directory, tables, report)
    _check_recordings(directory, tables, report)
    if audio:
        check_audio(directory, tables, report)
    _check_archives(directory, tables, check_feats, report)
    _check_origins(directory, report)
    for name in table_names(directory):
        if kind_of(name) == "trials":
            _check_trials(directory / name, tables, report)
    return report


def _as_table(lines: Iterable[str]) -> Table:
    """Index derived lines by their keys."""
    split = (line.split(" ", 1) for line in lines)
    return {
        words[0]: Entry(number, words[1] if len(words) > 1 else "")
        for number, words in enumerate(split, start=1)
    }


def _check_manifests(directory: Path, report: Report) -> dict[str, list[str]] | None:
    """Check the manifests, and whether the tables still agree with them.

    Returns:
        the tables they imply; None if there are none, or none that can be read.
    """
    there = [(directory / name).exists() for name in (RECORDINGS, SUPERVISIONS)]
    if not any(there):
        return None
    try:
        manifests = read_manifests(directory, compare=False)
        _check_times(directory / SUPERVISIONS, manifests, report)
        derived = derive_tables(*manifests)
    except DataError as error:
        cure = error.hint or "make the manifest again"
        path = Path(error.path)
        report.add(path, error.line or 0, "manifest", error.problem, cure)
        return None
    for name in DERIVED:
        _check_derived(directory / name, derived.get(name, []), report)
    return derived


def _check_times(path: Path, manifests: Manifests, report: Report) -> None:
    """Check that utterances lie within their recordings."""
    cure = "correct the manifest, or import the directory again"
    for number, (utt, item) in enumerate(manifests.supervisions.items(), start=1):
        recording = manifests.recordings.get(item.recording_id)
        if item.duration <= 0 or item.start < 0:
            text = f"{utt!r} lasts {item.duration} seconds from {item.start}"
            report.add(path, number, "time", text, cure)
        elif recording is None:
            if manifests.recordings:
                text = f"{utt!r}: {RECORDINGS} has no recording {item.recording_id!r}"
                report.add(path, number, "recording", text, cure)
        elif item.end > recording.duration + 0.5 / recording.sampling_rate:
            text = (
                f"{utt!r} ends at {item.end}, but its recording {recording.id!r} "
                f"at {recording.duration}"
            )
            report.add(path, number, "time", text, cure)


def _check_derived(path: Path, expected: list[str], report: Report) -> None:
    """Check that a table says what the manifests imply."""
    cure = (
        f"{FIX} writes it again from the manifests; asdkit kaldi-import, into the "
        "same directory, believes the tables instead"
    )
    lines = read_text_lines(path, Report()) if path.exists() else []
    if {" ".join(x.split()) for x in lines} == {" ".join(x.split()) for x in expected}:
        return
    if not path.exists():
        report.add(path, 0, "stale", "no such file, but manifests that imply it", cure)
        return
    known = set(expected)
    for number, line in enumerate(lines, start=1):
        if line.rstrip() not in known:
            text = f"expected what the manifests imply, got {line!r}"
            report.add(path, number, "stale", text, cure)
    for line in sorted(known - {line.rstrip() for line in lines}):
        report.add(path, 0, "lacking", f"expected {line!r} from the manifests", cure)


def _check_speakers(directory: Path, tables: dict[str, Table], report: Report) -> None:
    """Check spk2utt against utt2spk."""
    path = directory / "spk2utt"
    if not {"utt2spk", "spk2utt"} <= tables.keys():
        return
    of_spk: dict[str, set[str]] = {}
    for utt, entry in tables["utt2spk"].items():
        of_spk.setdefault(entry.value, set()).add(utt)
    cure = f"{FIX} writes it again from utt2spk"
    for spk, entry in tables["spk2utt"].items():
        utts = set(entry.value.split())
        if utts != of_spk.get(spk, set()):
            odd = min(utts ^ of_spk.get(spk, set()))
            has, lacks = (
                ("spk2utt", "utt2spk") if odd in utts else ("utt2spk", "spk2utt")
            )
            text = f"{odd!r} belongs to {spk!r} in {has} but not in {lacks}"
            report.add(path, entry.line, "stale", text, cure)
    for spk in sorted(of_spk.keys() - tables["spk2utt"].keys()):
        report.add(path, 0, "lacking", f"expected speaker {spk!r} of utt2spk", cure)


def _check_ids(directory: Path, tables: dict[str, Table], report: Report) -> None:
    """Check that all tables speak of the same utterances and speakers."""
    utts = tables.get("utt2spk", {})
    spks = {entry.value for entry in utts.values()}
    by_utt = "wav.scp" if "segments" not in tables else "segments"
    for name, table in tables.items():
        path, kind = directory / name, kind_of(name)
        if (kind == "utt" or name == by_utt) and _add_difference(
            path, table, utts, report
        ):
            continue
        if kind == "utt" or name == by_utt:
            _add_unknown(path, table, utts, "utt2spk", report)
        elif kind == "spk" and name != "spk2utt":
            _add_unknown(path, table, spks, "utt2spk", report)
        elif kind == "models":
            for model, entry in table.items():
                for utt in set(entry.value.split()) - utts.keys():
                    text = f"{model!r} has the unknown utterance {utt!r}"
                    cure = "correct the line, or add the utterance"
                    report.add(path, entry.line, "unknown", text, cure)
        if name in COMPLETE or name == by_utt:
            for utt in sorted(utts.keys() - table.keys()):
                text = f"expected {utt!r} of utt2spk, which is not in it"
                cure = f"compute it, or {FIX} drops the utterance everywhere"
                report.add(path, 0, "lacking", text, cure)


def _add_difference(
    path: Path, ids: Collection[str], known: Collection[str], report: Report
) -> bool:
    """Report once if all ids differ by one thing, e.g. by a suffix; tell whether."""
    if ids == known or all(name in known for name in ids):
        return False
    difference = find_difference(known, ids)
    if difference is None:
        return False
    cure = "write the ids as utt2spk has them"
    report.add(path, 0, "ids", f"{difference} in utt2spk", cure)
    return True


def _add_unknown(
    path: Path, table: Table, known: Collection[str], owner: str, report: Report
) -> None:
    """Report keys that the owner of the ids does not have."""
    if path.name == owner:
        return
    for key, entry in table.items():
        if key not in known:
            text = f"{key!r} is not in {owner}"
            report.add(path, entry.line, "unknown", text, f"{FIX} drops the line")


def _check_recordings(
    directory: Path, tables: dict[str, Table], report: Report
) -> None:
    """Check that the audio is there and that segments lie in it."""
    wavs, segments = tables.get("wav.scp", {}), tables.get("segments", {})
    path = directory / "wav.scp"
    for reco, entry in wavs.items():
        if entry.value.endswith("|"):
            continue
        try:
            status = os.stat(entry.value)
            if stat.S_ISREG(status.st_mode) and status.st_size > 0:
                continue
            what = "an empty" if stat.S_ISREG(status.st_mode) else "not a regular"
            text = f"no audio for {reco!r}: {entry.value!r} is {what} file"
        except OSError as error:
            text = f"no audio for {reco!r}: {entry.value!r}: {error.strerror}"
        cure = relative_hint(entry.value) or "correct the path"
        cure += ", or leave the utterance out"
        report.add(path, entry.line, "audio", text, cure)
    if "segments" not in tables:
        return
    for utt, entry in segments.items():
        reco, *times = entry.value.split() or [""]
        if reco not in wavs:
            text = f"recording {reco!r} of {utt!r} is not in wav.scp"
            cure = f"{FIX} drops the utterance"
            report.add(directory / "segments", entry.line, "unknown", text, cure)
        length = tables.get("reco2dur", {}).get(reco, Entry(0, "inf")).value
        if len(times) > 1 and _seconds(times[1]) > _seconds(length) + OVERSHOOT:
            text = f"{utt!r} ends at {times[1]}, but its recording {reco!r} at {length}"
            cure = "correct the line, or leave the utterance out"
            report.add(directory / "segments", entry.line, "time", text, cure)
    used = {entry.value.partition(" ")[0] for entry in segments.values()}
    for reco in sorted(wavs.keys() - used):
        text, cure = f"no utterance is in recording {reco!r}", f"{FIX} drops the line"
        report.add(path, wavs[reco].line, "unused", text, cure)


def _seconds(text: str) -> float:
    """Read a time; a malformed one, already reported, counts as endless."""
    try:
        return parse_finite(text)
    except ValueError:
        return float("inf")


def _check_archives(
    directory: Path, tables: dict[str, Table], check_feats: bool, report: Report
) -> None:
    """Check that features and VAD decisions are there and belong together."""
    feats = _shapes(directory / "feats.scp", tables, check_feats, report)
    vads = _shapes(directory / "vad.scp", tables, check_feats, report)
    dims = Counter(shape[1] for shape in feats.values() if len(shape) == 2)
    dim = dims.most_common(1)[0][0] if dims else 0
    frames = tables.get("utt2num_frames", {})
    for utt, shape in feats.items():
        line = tables["feats.scp"][utt].line
        if len(shape) != 2 or shape[1] != dim or not shape[0]:
            text = f"expected frames of dimension {dim} for {utt!r}, got shape {shape}"
            cure = "asdkit feats-compute makes them again"
            report.add(directory / "feats.scp", line, "shape", text, cure)
        elif utt in frames and frames[utt].value != str(shape[0]):
            path, entry = directory / "utt2num_frames", frames[utt]
            text = f"expected {shape[0]} frames as in feats.scp, got {entry.value}"
            report.add(path, entry.line, "frames", text, f"{FIX} counts them again")
        if utt in vads and vads[utt] != shape[:1]:
            path, line = directory / "vad.scp", tables["vad.scp"][utt].line
            text = f"{utt!r}: expected a decision for each of {shape[0]} frames, got "
            cure = "asdkit vad-compute makes them again"
            report.add(path, line, "frames", f"{text}shape {vads[utt]}", cure)


def _shapes(
    path: Path, tables: dict[str, Table], check_feats: bool, report: Report
) -> dict[str, tuple[int, ...]]:
    """Look up the shape of every array, and into it if asked to."""
    shapes = {}
    for utt, entry in tables.get(path.name, {}).items():
        try:
            if check_feats:
                array = load_array(utt, entry.value)
                shapes[utt] = array.shape
                if not np.all(np.isfinite(array)):
                    row = int(np.argwhere(~np.isfinite(array))[0, 0])
                    text = f"{utt!r} holds NaN or infinity, first in frame {row}"
                    cure = "look at its audio, compute it again, or leave it out"
                    report.add(path, entry.line, "finite", text, cure)
            else:
                shapes[utt] = load_shape(utt, entry.value)
        except DataError as error:
            cure = error.hint or "correct the line"
            report.add(path, entry.line, "archive", str(error), cure)
    return shapes


def _check_origins(directory: Path, report: Report) -> None:
    """Check that features, VAD decisions and trials belong to the present data."""
    for name in list_derived(directory):
        try:
            check_origin(directory / name)
        except DataError as error:
            cure = error.hint or "make it again"
            report.add(Path(error.path), 0, "origin", error.problem, cure)


def _is_score(word: str) -> bool:
    try:
        parse_finite(word)
    except ValueError:
        return False
    return True


# Table of trials -> what its lines end in, in words and in code.
THIRD_WORDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "trials": ("target|nontarget", ("target", "nontarget").__contains__),
    "asv_trials": (
        "target|nontarget|spoof",
        ("target", "nontarget", "spoof").__contains__,
    ),
    "asv_scores": ("<score>", _is_score),
}


def _check_trials(path: Path, tables: dict[str, Table], report: Report) -> None:
    """Check the form of trials and that the directory has their utterances.

    The first side may be an utterance, a speaker or a model of some ``*.spk2utt``; if
    none of them is known, models are enrolled from another directory.
    """
    utts = tables.get("utt2spk", {})
    known = {*utts, *(entry.value for entry in utts.values())}
    for name, table in tables.items():
        is_models = kind_of(name) in ("models", "enrolled")
        known |= table.keys() if is_models else set()
    expected, is_third = THIRD_WORDS.get(path.name, THIRD_WORDS["trials"])
    keys: dict[tuple[str, str], str] = {}
    strangers, unknown = [], []
    for number, line in enumerate(read_text_lines(path, report), start=1):
        words = line.split()
        if len(words) != 3 or not is_third(words[2]):
            text = f"expected '<enroll> <test> {expected}', got {line!r}"
            report.add(path, number, "form", text, "correct the line")
            continue
        enroll, test, key = words
        if keys.setdefault((enroll, test), key) != key:
            text = f"{enroll!r} and {test!r} are both {keys[enroll, test]} and {key}"
            report.add(path, number, "contradiction", text, "delete the wrong line")
        if test not in utts:
            unknown.append((number, test))
        if enroll not in known:
            strangers.append((number, enroll))
    if not _add_difference(path, {test for _, test in unknown}, utts, report):
        for number, test in unknown:
            text = f"the test utterance {test!r} is not in utt2spk"
            report.add(path, number, "test", text, "delete the trial or add it")
    if len({enroll for _, enroll in strangers}) < len({enroll for enroll, _ in keys}):
        for number, enroll in strangers:
            text = f"{enroll!r} is no utterance, speaker or model of this directory"
            report.add(path, number, "enroll", text, "delete the trial or add it")
