"""Make data directories of the ASVspoof corpora from their protocols.

The utterances of the countermeasure (CM) protocol become a data directory, with the
attack of each, and what of it is spoofed where that is a part; the pairs of the ASV
protocol become its ``asv_trials``, the speakers to enroll its ``asv_enroll.spk2utt``,
and their utterances a directory of their own.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from asdkit.base.errors import DataError
from asdkit.base.names import CURE, find_id_problem
from asdkit.corpora.asvspoof_layouts import Layout, find, layout_of, require
from asdkit.corpora.partialspoof import mark_spoofed
from asdkit.data.manifest_tables import CUSTOM
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.headers import Header, read_headers, tell_channels
from asdkit.io.protocols import (
    ABSENT,
    BONAFIDE,
    Protocol,
    read_asv_protocol,
    read_cm_protocol,
    read_enrollment,
)
from asdkit.io.tables import PathName
from asdkit.io.words import first_words, read_numbers, read_words

logger = logging.getLogger(__name__)

SAMPLING_RATE = 16000  # of all these corpora
GENDERS = {"F": "female", "M": "male"}
SKIP = "--skip-bad true leaves them out, and says how many"


class Enrollment(NamedTuple):
    """Speakers to enroll.

    Attributes:
        models: speaker -> utterances.
        genders: speaker -> "female" or "male"; empty where no list is of one gender.
        audio: folder of the utterances.
    """

    models: dict[str, list[str]]
    genders: dict[str, str]
    audio: Path


def prepare(
    corpus: str, part: str, root: PathName, data_dir: PathName, skip_bad: bool = False
) -> None:
    """Make a data directory of one part of a corpus.

    With the ASV part, the utterances to enroll go to ``<data_dir>_enroll``.

    Args:
        corpus: a key of `asdkit.corpora.asvspoof_layouts.LAYOUTS`.
        part: "train", "dev" or "eval".
        root: root of the unpacked corpus.
        data_dir: data directory to write, atomically.
        skip_bad: skip utterances whose audio is missing, empty, cut short or not at 16
            kHz, instead of stopping with an error.

    Raises:
        AsdkitError: the corpus has no such part.
        DataError: a protocol or the audio is missing or damaged, or there are no bona
            fide or no spoofed utterances.
    """
    layout = layout_of(corpus, part)
    cm = require(root, layout.cm)
    protocol = read_cm_protocol(cm, layout.cm_format)
    for ids in (protocol.utt, protocol.spk):
        _require_ids(cm, ids)
    _require_both_classes(cm, protocol.is_bonafide.tolist())
    audio = require(root, layout.audio)
    enrollment = _read_enrollment(root, layout)
    present = {entry.name for entry in os.scandir(audio)}
    headers = _read_audio(audio, protocol.utt, present, skip_bad, layout.suffix)
    _tell_unlisted(audio, present, protocol.utt, enrollment, layout.suffix)

    rows = [row for row, utt in enumerate(protocol.utt) if utt in headers]
    _require_both_classes(cm, [bool(protocol.is_bonafide[row]) for row in rows])
    utterances = [
        _describe(protocol, row, audio, headers, layout.suffix) for row in rows
    ]
    if layout.turns:
        utterances = mark_spoofed(require(root, layout.turns), utterances)
    carried: dict[str, list[str]] = {"asv_trials": [], "asv_scores": []}
    if layout.asv and (asv := find(root, layout.asv)):
        scores = find(root, layout.asv_scores) if layout.asv_scores else None
        carried = _convert_asv(asv, layout.asv_format, scores, headers.keys())
    carried["asv_enroll.spk2utt"] = []
    if enrollment:
        models = _write_enrollment(f"{data_dir}_enroll", enrollment, skip_bad)
        carried["asv_enroll.spk2utt"] = models
        _tell_unenrolled(data_dir, carried)
    write_utterances(data_dir, utterances, carried)
    _tell(data_dir, utterances, carried)


def _require_ids(path: Path, ids: Sequence[str]) -> None:
    """Raise, before anything is written, if an id of a protocol is invalid."""
    for line, name in enumerate(ids, start=1):
        if problem := find_id_problem(name):
            raise DataError(path, problem, line=line, hint=CURE)


def _require_both_classes(path: Path, is_bonafide: Sequence[bool]) -> None:
    """Raise unless there are bona fide and spoofed utterances."""
    num_bonafide = sum(is_bonafide)
    if num_bonafide in (0, len(is_bonafide)):
        raise DataError(
            path,
            f"expected bona fide and spoofed utterances, got {num_bonafide} bona fide "
            f"and {len(is_bonafide) - num_bonafide} spoofed",
        )


def _read_audio(
    audio: Path,
    utts: Sequence[str],
    present: Iterable[str],
    skip_bad: bool,
    suffix: str = "flac",
) -> dict[str, Header]:
    """Read the headers of ``<utt>.flac``, leaving out invalid files.

    Raises:
        DataError: some are no good and are not to be skipped, or most are.
    """
    names = set(present)
    paths = {utt: (f"{audio}/{utt}.{suffix}", False) for utt in utts}
    there = {utt: x for utt, x in paths.items() if f"{utt}.{suffix}" in names}
    headers, errors = read_headers(there, check_end=True)
    for utt in paths.keys() - there.keys():
        errors[utt] = DataError(paths[utt][0], "no such file")
    sorts = Counter(
        missing=len(paths) - len(there), damaged=len(errors) - len(paths) + len(there)
    )
    for utt, header in list(headers.items()):
        if header.sampling_rate != SAMPLING_RATE:
            problem = f"expected {SAMPLING_RATE} Hz, got {header.sampling_rate} Hz"
            errors[utt] = DataError(paths[utt][0], problem)
            sorts["of another sampling rate"] += 1
            del headers[utt]
    tell_channels(headers, ((utt, 0) for utt in headers))
    if not errors:
        return headers
    counts = ", ".join(f"{number} {sort}" for sort, number in sorts.items() if number)
    first = errors[min(errors)]
    text = f"{len(errors)} of {len(utts)} files are unusable ({counts}), e.g. {first}"
    if not skip_bad or len(errors) > len(headers):
        raise DataError(audio, text, hint=None if skip_bad else SKIP)
    logger.warning("spoof-prepare: skipped: %s: %s", audio, text)
    return headers


def _tell_unlisted(
    audio: Path,
    present: Iterable[str],
    utts: Iterable[str],
    enrollment: Enrollment | None,
    suffix: str,
) -> None:
    """Log which audio files are in no protocol."""
    known = {f"{utt}.{suffix}" for utt in utts}
    if enrollment and enrollment.audio == audio:
        known |= {f"{utt}.flac" for x in enrollment.models.values() for utt in x}
    unlisted = sorted(name for name in present if name not in known)
    if unlisted:
        logger.warning(
            "spoof-prepare: %s: %d files are in no protocol, left out: %s",
            audio,
            len(unlisted),
            " ".join(unlisted[:3]) + (" ..." if len(unlisted) > 3 else ""),
        )


def _describe(
    protocol: Protocol,
    row: int,
    audio: Path,
    headers: Mapping[str, Header],
    suffix: str,
) -> Utterance:
    """Describe an utterance of a CM protocol."""
    utt = protocol.utt[row]
    values = {
        "attack": protocol.attack[row],
        "codec": protocol.codec[row],
        "subset": protocol.subset[row],
        "environment": protocol.columns.get("environment", {row: ABSENT})[row],
    }
    custom = {name: values[name] for name in CUSTOM if values[name] != ABSENT}
    gender = protocol.columns["gender"][row] if "gender" in protocol.columns else ABSENT
    whole = _make_utterance(utt, protocol.spk[row], audio, headers[utt], suffix)
    return whole._replace(gender=GENDERS.get(gender), custom=custom)


def _make_utterance(
    utt: str, spk: str, audio: Path, header: Header, suffix: str = "flac"
) -> Utterance:
    """Describe a whole file."""
    duration = header.num_samples / header.sampling_rate
    path = f"{audio}/{utt}.{suffix}"
    return Utterance(utt, spk, path, False, 0.0, duration, 0, header.sampling_rate)


def _read_enrollment(root: PathName, layout: Layout) -> Enrollment | None:
    """Read the speakers to enroll; None where the corpus does not say."""
    paths = [found for name in layout.enroll if (found := find(root, name))]
    if not paths:
        return None
    models: dict[str, list[str]] = {}
    genders: dict[str, str] = {}
    for path in paths:
        listed = read_enrollment(path)
        for spk, utts in listed.items():
            if spk in models:
                raise DataError(path, f"{spk!r} is in an earlier list, too")
            models[spk] = utts
        for gender in GENDERS.values():
            if f".{gender}." in path.name:
                genders |= dict.fromkeys(listed, gender)
    return Enrollment(models, genders, require(root, layout.enroll_audio))


def _write_enrollment(
    data_dir: PathName, enrollment: Enrollment, skip_bad: bool
) -> list[str]:
    """Write the directory of the utterances to enroll; return its spk2utt."""
    models, genders, audio = enrollment
    utt2spk = {utt: spk for spk, utts in models.items() for utt in utts}
    present = {entry.name for entry in os.scandir(audio)}
    headers = _read_audio(audio, list(utt2spk), present, skip_bad)
    left = {spk: [u for u in models[spk] if u in headers] for spk in sorted(models)}
    utterances = [
        _make_utterance(utt, utt2spk[utt], audio, header)._replace(
            gender=genders.get(utt2spk[utt]), custom={"attack": BONAFIDE}
        )
        for utt, header in headers.items()
    ]
    write_utterances(data_dir, utterances)
    return [f"{spk} {' '.join(utts)}" for spk, utts in left.items() if utts]


def _convert_asv(
    path: Path, kind: str, scores: Path | None, utts: Iterable[str]
) -> dict[str, list[str]]:
    """Turn an ASV protocol and its scores into asv_trials and asv_scores.

    In 2019's PA, a speaker is enrolled once in every environment.
    """
    protocol = read_asv_protocol(path, kind)
    models = protocol.spk
    if kind == "asvspoof2019_pa":
        rooms = protocol.columns["environment"]
        models = [f"{spk}_{room}" for spk, room in zip(models, rooms, strict=True)]
    kept = set(utts)
    rows = [row for row, utt in enumerate(protocol.utt) if utt in kept]
    if len(rows) < len(protocol.utt):
        lost = len(protocol.utt) - len(rows)
        problem = f"{lost} of {len(protocol.utt)} pairs have utterances that are no "
        if not rows:
            raise DataError(path, f"{problem}CM trials")
        logger.warning("spoof-prepare: %s: %sCM trials, left out", path, problem)
    pairs = [f"{m} {utt}" for m, utt in zip(models, protocol.utt, strict=True)]
    values = _read_asv_scores(scores, protocol, pairs) if scores else None
    return {
        "asv_trials": [f"{pairs[row]} {protocol.key[row]}" for row in rows],
        "asv_scores": [f"{pairs[row]} {values[row]}" for row in rows] if values else [],
    }


def _read_asv_scores(
    path: Path, protocol: Protocol, pairs: Sequence[str]
) -> list[str] | None:
    """Read ``<attack> <key> <score>`` or ``<spk> <utt> <score>`` lines.

    Returns:
        the score of every pair; None, with a warning, if the lines are not those of
        the protocol.

    Raises:
        DataError: a line has another form, or a score is no number.
    """
    columns: list[list[str]] = [[], [], []]
    expected = "'<attack> <key> <score>', three words"
    for first_line, block in read_words(path, 3, expected):
        read_numbers(path, first_line, block[2], block[:2])  # they stay as written
        for column, words in zip(columns, block, strict=True):
            column.extend(word.decode() for word in words)
    keyed = first_words(path)[1] in ("target", "nontarget", "spoof")
    first, second, values = columns
    if keyed:
        found, wanted = second, protocol.key
    else:
        found = [f"{spk} {utt}" for spk, utt in zip(first, second, strict=True)]
        wanted = list(pairs)
    if found != wanted:
        logger.warning(
            "spoof-prepare: %s: its %d lines are not those of the ASV protocol (%d), "
            "so asv_scores is not written",
            path,
            len(found),
            len(wanted),
        )
        return None
    return values


def _tell_unenrolled(data_dir: PathName, carried: Mapping[str, list[str]]) -> None:
    """Log which speakers are claimed in trials but have no enrollment utterances."""
    claimed = {line.partition(" ")[0] for line in carried["asv_trials"]}
    known = {line.partition(" ")[0] for line in carried["asv_enroll.spk2utt"]}
    if missing := sorted(claimed - known):
        logger.warning(
            "spoof-prepare: %s: %d of %d speakers of the ASV trials have no "
            "enrollment utterances, first %r",
            data_dir,
            len(missing),
            len(claimed),
            missing[0],
        )


def _tell(
    data_dir: PathName,
    utterances: Sequence[Utterance],
    carried: Mapping[str, list[str]],
) -> None:
    """Log what was prepared."""
    attacks = Counter((item.custom or {})["attack"] for item in utterances)
    num_bonafide = attacks.pop(BONAFIDE)
    spoofed = " ".join(f"{name} ({attacks[name]})" for name in sorted(attacks))
    logger.info(
        "spoof-prepare: %s: %d bona fide utterances, %d spoofed: %s; %d speakers",
        data_dir,
        num_bonafide,
        attacks.total(),
        spoofed,
        len({item.spk for item in utterances}),
    )
    keys = Counter(line.rpartition(" ")[2] for line in carried["asv_trials"])
    logger.info(
        "spoof-prepare: %s: ASV trials: %s; %d models, %d scores",
        data_dir,
        ", ".join(f"{number} {key}" for key, number in sorted(keys.items())) or "none",
        len(carried["asv_enroll.spk2utt"]),
        len(carried["asv_scores"]),
    )
