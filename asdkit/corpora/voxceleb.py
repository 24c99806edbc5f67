"""VoxCeleb 1 and 2 as unpacked: ``.../id10270/x6uYqmx31kE/00001.wav``.

A speaker's folder may lie anywhere under the root: ``wav/``, ``dev/wav`` and
``test/wav``, ``vox1_dev_wav/wav``, or the root itself.  The table of speakers,
``vox1_meta.csv`` or ``vox2_meta.csv`` in the root, assigns speakers to parts.

Not lhotse's prepare_voxceleb: that lists VoxCeleb2's .m4a files only, wants all of
VoxCeleb1 under one ``wav/``, fetches a list of trials from the network, knows no other,
joins VoxCeleb2's parts, and takes time that grows with the square of VoxCeleb1.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.inputs import NUM_THREADS
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.tables import PathName, read_lines, read_table
from asdkit.io.trials import Trials, read_trials

logger = logging.getLogger(__name__)

Part = Literal["dev", "test", "all"]
METAS = ("vox1_meta.csv", "vox2_meta.csv")
SPEAKER = re.compile(r"id\d{5}")
SUFFIXES = (".wav", ".flac")
CONVERT = "convert them: egs/voxceleb/v1/local/convert_m4a.sh"


class Speaker(NamedTuple):
    """A line of the table of speakers."""

    gender: str
    part: str


def prepare_voxceleb(root: PathName, data_dir: PathName, part: Part = "all") -> None:
    """Make a data directory of VoxCeleb 1 or 2; utterances are named as in Kaldi.

    Args:
        root: folder with the table of speakers and, anywhere below, their folders.
        data_dir: data directory to write, atomically.
        part: part of the corpus to list.

    Raises:
        DataError: the table of speakers is missing or malformed, there is no audio,
            a file is damaged, or an utterance is there twice.
    """
    from asdkit.io.headers import read_headers, tell_channels  # imports soundfile

    speakers = {
        spk: speaker
        for spk, speaker in read_speakers(root).items()
        if part in ("all", speaker.part)
    }
    if not speakers:
        raise DataError(root, f"its table of speakers has none of part {part!r}")
    paths = find_audio(root, speakers)
    headers, errors = read_headers({utt: (path, False) for utt, path in paths.items()})
    for error in errors.values():
        what = f"{len(errors)} of {len(paths)} files cannot be read, first"
        raise DataError(root, f"{what} {error}", hint=error.hint)
    tell_channels(headers, ((utt, 0) for utt in paths))
    utterances = [
        Utterance(
            utt=utt,
            spk=speaker_of(utt),
            source=path,
            is_command=False,
            start=0.0,
            duration=headers[utt].num_samples / headers[utt].sampling_rate,
            channel=0,
            sampling_rate=headers[utt].sampling_rate,
            gender=speakers[speaker_of(utt)].gender,
        )
        for utt, path in paths.items()
    ]
    write_utterances(data_dir, utterances)
    hours = sum(utterance.duration for utterance in utterances) / 3600
    spks = {utterance.spk for utterance in utterances}
    logger.info(
        "voxceleb: %d utterances of %d speakers, %.2f hours",
        len(utterances),
        len(spks),
        hours,
    )
    if len(spks) < len(speakers):
        logger.warning(
            "voxceleb: %d of %d speakers have no audio, e.g. %s",
            len(speakers) - len(spks),
            len(speakers),
            min(speakers.keys() - spks),
        )


def read_speakers(root: PathName) -> dict[str, Speaker]:
    """Read ``vox1_meta.csv`` or ``vox2_meta.csv``: speaker id -> gender and part.

    Raises:
        DataError: there is neither or both, or a line is not as its heading says.
    """
    paths = [path for name in METAS if (path := Path(root) / name).exists()]
    if len(paths) != 1:
        raise DataError(
            root,
            f"expected one of {' and '.join(METAS)}, got {'both' if paths else 'none'}",
            hint="they come with the corpus; --help says what the root is",
        )
    path = paths[0]
    lines = [line for line in read_lines(path) if line.strip()]
    separator = "\t" if lines and "\t" in lines[0] else ","
    rows = [[word.strip() for word in line.split(separator)] for line in lines]
    heading = rows[0] if rows else []
    if not {"Gender", "Set"} <= set(heading):
        problem = f"expected columns Gender and Set, got {', '.join(heading) or 'none'}"
        raise DataError(path, problem, line=1)
    gender, part = heading.index("Gender"), heading.index("Set")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(heading) or not SPEAKER.fullmatch(row[0]):
            problem = f"expected a speaker and {len(heading) - 1} values, got {row}"
            raise DataError(path, problem, line=number)
    return {row[0]: Speaker(row[gender], row[part]) for row in rows[1:]}


def find_audio(root: PathName, speakers: Collection[str]) -> dict[str, str]:
    """Find the audio of some speakers: utterance id -> path, sorted.

    Raises:
        DataError: there is none, or an utterance is there twice.
    """
    folders = [
        path
        for path in _speaker_folders(os.fspath(root))
        if os.path.basename(path) in speakers
    ]
    found: dict[str, str] = {}
    num_m4a = 0
    with ThreadPoolExecutor(NUM_THREADS) as pool:  # they wait for the disk
        for files in pool.map(_list_files, folders):
            num_m4a += sum(path.endswith(".m4a") for path in files)
            for path in files:
                utt = name_utterance(path)
                if path.endswith(SUFFIXES) and found.setdefault(utt, path) != path:
                    problem = f"{utt!r} is there twice: {found[utt]}, {path}"
                    raise DataError(root, problem, hint="remove one")
    if not found:
        problem = f"expected {' or '.join(SUFFIXES)} in folders id.....; got "
        problem += f"{len(folders)} folders of its speakers and {num_m4a} .m4a files"
        raise DataError(root, problem, hint=CONVERT if num_m4a else None)
    return dict(sorted(found.items()))


def _speaker_folders(folder: str) -> Iterator[str]:
    """Find the speakers' folders below a folder."""
    with os.scandir(folder) as entries:
        inner = sorted(entry.path for entry in entries if entry.is_dir())
    for path in inner:
        if SPEAKER.fullmatch(os.path.basename(path)):
            yield path
        else:
            yield from _speaker_folders(path)


def _list_files(folder: str) -> list[str]:
    """List the files in the folders of a speaker's videos."""
    found = []
    with os.scandir(folder) as videos:
        for video in videos:
            if video.is_dir():
                with os.scandir(video.path) as files:
                    found += [file.path for file in files]
    return found


def name_utterance(path: str) -> str:
    """Name an utterance by its file, as Kaldi does.

    Example:
        >>> name_utterance("wav/id10270/x6uYqmx31kE/00001.wav")
        'id10270-x6uYqmx31kE-00001'
    """
    return "-".join(PurePosixPath(path).with_suffix("").parts[-3:])


def speaker_of(utt: str) -> str:
    """Return the speaker of an utterance that `name_utterance` named."""
    return utt.partition("-")[0]


def read_list(path: PathName, data_dir: PathName) -> Trials:
    """Read one of VoxCeleb's lists, ``1|0 <file> <file>``, as trials of utterances.

    Raises:
        DataError: a line is malformed, names an utterance that is not in ``data_dir``,
            or its key contradicts the speakers.
    """
    listed = read_trials(path)
    trials = replace(
        listed,
        enroll_ids=[name_utterance(file) for file in listed.enroll_ids],
        test_ids=[name_utterance(file) for file in listed.test_ids],
    )
    utt2spk = read_table(Path(data_dir) / "utt2spk")
    unknown = sorted({*trials.enroll_ids, *trials.test_ids} - utt2spk.keys())
    if unknown:
        problem = f"{data_dir} lacks {len(unknown)} of its utterances: {unknown[0]!r}"
        hint = "the lists of all and of hard trials need all parts of VoxCeleb1"
        raise DataError(path, problem, hint=hint)
    enroll, test = (
        np.array([utt2spk[utt] for utt in ids])
        for ids in (trials.enroll_ids, trials.test_ids)
    )
    wrong = (enroll[trials.enroll] == test[trials.test]) != trials.is_target
    if wrong.any():
        row = int(np.argmax(wrong))
        problem = f"{int(wrong.sum())} keys contradict the speakers"
        raise DataError(path, f"{problem}: {listed.name(row)!r}", line=row + 1)
    return trials
