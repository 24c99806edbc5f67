"""Keys of the ASVspoof challenges in their own formats.

A countermeasure (CM) protocol says of every utterance whether it is bona fide; an ASV
protocol says of pairs of an enrolled speaker and an utterance whether they are target,
nontarget or spoof.  Every format is a line in a table, written as the line itself is.

Source: the column names of ASVspoof 2021's evaluation package (eval-package/config.py)
and the README files of ASVspoof 2019 and ASVspoof 5's databases; 2019's PA environment
column and the bona fide lines of 2021 are from memory of the public keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_table
from asdkit.io.words import first_words, read_words

BONAFIDE = "bonafide"
ABSENT = "-"  # what the challenges write where there is nothing to say

CM_LINES = {
    # LA_0079 LA_E_1234567 - A07 spoof; PA: PA_0079 PA_E_0000001 aaa AA spoof
    "asvspoof2019": "spk utt environment attack key",
    # LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval
    "asvspoof2021_la": "spk utt codec transmission attack key trim subset",
    # PA_0010 PA_E_1000001 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval
    "asvspoof2021_pa": "spk utt asv_room asv_mic talker_distance attacker_room "
    "attacker_mic device attacker_distance key trim subset",
    # LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress
    # traditional_vocoder - - - -
    "asvspoof2021_df": "spk utt codec source attack key trim subset vocoder task team "
    "gender_pair language",
    # T_4850 T_0000000000 F - - - AC3 A05 spoof -
    "asvspoof5": "spk utt gender codec codec_quality codec_seed attack_tag attack key "
    "tmp",
}
ASV_LINES = {
    # LA_0015 LA_E_1103494 bonafide target
    "asvspoof2019": "spk utt attack key",
    # PA_0015 PA_E_1103494 aaa bonafide target
    "asvspoof2019_pa": "spk utt environment attack key",
    "asvspoof2021_la": CM_LINES["asvspoof2021_la"],
    "asvspoof2021_pa": CM_LINES["asvspoof2021_pa"],
    # D_0062 D_0000000001 F A11 spoof
    "asvspoof5": "spk utt gender attack key",
    # spk01 spk02-3 nontarget: asv_trials of our data directories
    "asdkit": "spk utt key",
}
CM_KEYS = (BONAFIDE, "spoof")
ASV_KEYS = ("target", "nontarget", "spoof")
ALL_KEYS = CM_KEYS + ASV_KEYS


class Protocol(NamedTuple):
    """The utterances of a protocol, in file order.

    Attributes:
        utt: U utterances.
        spk: U speakers; of an ASV protocol, those who are claimed.
        attack: U attack ids, "bonafide" where there is none; "-" for the spoofs of
            our own ASV trials, which leave it to utt2attack.
        codec: U codecs, "-" in corpora without.
        subset: U parts of the evaluation data, "-" in corpora without.
        key: U of `CM_KEYS` or `ASV_KEYS`.
        is_bonafide: (U,) bool.
        columns: all columns as they stand in the file, by the names of `CM_LINES`.
    """

    utt: list[str]
    spk: list[str]
    attack: list[str]
    codec: list[str]
    subset: list[str]
    key: list[str]
    is_bonafide: np.ndarray
    columns: Mapping[str, list[str]]


def read_cm_protocol(path: PathName, kind: str) -> Protocol:
    """Read which utterances are bona fide.

    Args:
        path: e.g. ASVspoof2019.LA.cm.eval.trl.txt, trial_metadata.txt,
            ASVspoof5.dev.track_1.tsv.
        kind: one of `CM_LINES`.

    Raises:
        DataError: the file is missing or empty, a line has too few or too many fields,
            no valid key, or a key that contradicts the attack; an utterance comes
            twice.
    """
    protocol = _read(path, CM_LINES[kind], CM_KEYS)
    seen: set[str] = set()
    for number, utt in enumerate(protocol.utt, start=1):
        if utt in seen:
            raise DataError(path, f"{utt!r} appears a second time", line=number)
        seen.add(utt)
    return protocol


def read_asv_protocol(path: PathName, kind: str) -> Protocol:
    """Read pairs of a claimed speaker and an utterance, with their keys.

    Args:
        path: e.g. ASVspoof2019.LA.asv.eval.gi.trl.txt, ASVspoof5.dev.track_2.trial.tsv.
        kind: one of `ASV_LINES`.

    Raises:
        DataError: as `read_cm_protocol`, but utterances may come with many speakers.
    """
    return _read(path, ASV_LINES[kind], ASV_KEYS)


def read_enrollment(path: PathName) -> dict[str, list[str]]:
    """Read ``<spk> <utt>,<utt>,...`` lines: speaker -> utterances to enroll.

    Raises:
        DataError: the file is missing, a line has another form, or a speaker comes
            twice.
    """
    enrollment = {spk: utts.split(",") for spk, utts in read_table(path).items()}
    for number, (spk, utts) in enumerate(enrollment.items(), start=1):
        if not all(utts) or len(" ".join(utts).split()) != len(utts):
            got = f"{spk} {','.join(utts)}"
            problem = f"expected '<spk> <utt>,<utt>,...', got {got!r}"
            raise DataError(path, problem, line=number)
    return enrollment


def kind_of(path: PathName, lines: Mapping[str, str], prefix: str = "") -> str:
    """Tell the format of a protocol by the number of fields in its first line.

    Args:
        path: the file.
        lines: `CM_LINES` or `ASV_LINES`.
        prefix: the formats to choose from, e.g. "asvspoof2021".

    Raises:
        DataError: the file cannot be read, or no format has so many fields.
    """
    words = first_words(path)
    wanted = {k: v.split() for k, v in lines.items() if k.startswith(prefix)}
    for kind, columns in wanted.items():
        if len(columns) == len(words):
            return kind
    known = ", ".join(f"{len(columns)} ({kind})" for kind, columns in wanted.items())
    problem = f"expected {known} fields, got {len(words)}: {' '.join(words)!r}"
    raise DataError(path, problem, line=1)


def _read(path: PathName, line: str, keys: tuple[str, ...]) -> Protocol:
    """Read all columns of a protocol."""
    names = line.split()
    expected = f"{len(names)} fields, '{' '.join(f'<{name}>' for name in names)}'"
    columns: dict[str, list[str]] = {name: [] for name in names}
    decoded = _Decoder()
    try:
        for first_line, block in read_words(path, len(names), expected):
            for name, words in zip(names, block, strict=True):
                columns[name].extend(map(decoded.__getitem__, words))
            _check_keys(path, columns["key"], first_line, keys)
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text, got {error}") from None
    if not columns["utt"]:
        raise DataError(path, f"expected lines of {expected}, got an empty file")
    absent = [decoded[ABSENT.encode()]] * len(columns["utt"])
    return Protocol(
        columns["utt"],
        columns["spk"],
        list(_attacks(path, columns)),
        columns.get("codec", absent),
        columns.get("subset", absent),
        columns["key"],
        np.array([key != "spoof" for key in columns["key"]]),
        columns,
    )


def _check_keys(
    path: PathName, found: list[str], first_line: int, keys: tuple[str, ...]
) -> None:
    """Refuse a block with a key that is not one of the protocol's."""
    if set(found[first_line - 1 :]) <= set(keys):
        return
    for number, key in enumerate(found[first_line - 1 :], start=first_line):
        if key not in keys:
            other = "ASV" if keys == CM_KEYS else "CM"
            hint = f"this looks like the {other} protocol" if key in ALL_KEYS else None
            expected = " or ".join(keys)
            problem = f"expected the key {expected}, got {key!r}"
            raise DataError(path, problem, line=number, hint=hint)


def _attacks(path: PathName, columns: Mapping[str, list[str]]) -> Iterable[str]:
    """Name the attack of every line; the key and the attack must agree."""
    keys = columns["key"]
    if "device" in columns:  # 2021 PA: device and distance, as 2019's two letters
        how = zip(columns["device"], columns["attacker_distance"], strict=True)
        for words, key in zip(how, keys, strict=True):
            known = "".join(word for word in words if word != ABSENT)
            yield (known or ABSENT) if key == "spoof" else BONAFIDE
        return
    if "attack" not in columns:
        yield from (ABSENT if key == "spoof" else BONAFIDE for key in keys)
        return
    for number, (attack, key) in enumerate(
        zip(columns["attack"], keys, strict=True), start=1
    ):
        has_attack = attack not in (ABSENT, BONAFIDE)
        if has_attack != (key == "spoof"):
            expected = "an attack" if key == "spoof" else "no attack"
            problem = f"expected {expected} with the key {key!r}, got {attack!r}"
            raise DataError(path, problem, line=number)
        yield attack if has_attack else BONAFIDE


class _Decoder(dict[bytes, str]):
    """Decode every distinct word once."""

    def __missing__(self, word: bytes) -> str:
        text = self[word] = word.decode()
        return text
