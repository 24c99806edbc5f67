"""Decode all audio of a data directory and compare it with the manifest."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import soundfile

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_number
from asdkit.base.progress import watch
from asdkit.data.manifests import RECORDINGS, read_items
from asdkit.data.problems import Report, Table
from asdkit.io.audio import AGAIN, open_audio
from asdkit.io.headers import NUM_THREADS

if TYPE_CHECKING:
    from lhotse import Recording

logger = logging.getLogger(__name__)
BLOCK = 1 << 16  # samples that are decoded at a time
TOLERANCE_SEC = 0.01  # tables round durations to hundredths
CONVERT = "convert it again, or leave the utterance out"
CHANGED = "the file has changed since it was listed: asdkit kaldi-import lists it again"


class Listed(NamedTuple):
    """A sound file's listed properties; None where unlisted.

    Attributes:
        reco: the recording's id.
        line: place of the listing.
        source: path.
        sampling_rate: in Hz.
        duration: seconds.
        num_channels: as in the manifest.
    """

    reco: str
    line: int
    source: str
    sampling_rate: int | None = None
    duration: float | None = None
    num_channels: int | None = None


class Decoded(NamedTuple):
    """A sound file's actual properties.

    Attributes:
        sampling_rate: in Hz.
        num_samples: number of samples that could be decoded.
        num_channels: number in the file.
        nonfinite: number of the first sample that is NaN or infinite, None if all are
            finite.
    """

    sampling_rate: int
    num_samples: int
    num_channels: int
    nonfinite: int | None


def check_audio(directory: Path, tables: Mapping[str, Table], report: Report) -> None:
    """Decode the audio of a data directory on all cores; report mismatches.

    Commands are not run and recordings with lhotse's transforms not looked into; files
    that are not there are left to others.  Costs about what decoding costs.

    Args:
        directory: with a manifest of recordings, or with wav.scp.
        tables: of the directory, by name.
        report: receives the problems.
    """
    from lhotse import Recording

    path = directory / RECORDINGS
    if path.exists():
        try:
            listed, num_others = _in_manifest(read_items(path, Recording).values())
        except DataError:  # a damaged manifest has been reported
            return
    else:
        path = directory / "wav.scp"
        listed, num_others = _in_tables(tables)
    files = [
        x for x in listed if os.path.isfile(x.source) and os.stat(x.source).st_size
    ]
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        try:
            answers = pool.map(_try, (file.source for file in files))
            answers = watch(answers, len(files), "data-validate")
            for file, found in zip(files, answers, strict=True):
                if isinstance(found, DataError):
                    text = f"{file.reco!r}: {found}"
                    report.add(path, file.line, "audio", text, found.hint or CONVERT)
                else:
                    _compare(path, file, found, report)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    logger.info(
        "data-validate: %s: checked %d sound files (%d missing; %d recordings "
        "are commands or have transforms)",
        directory,
        len(files),
        len(listed) - len(files),
        num_others,
    )


def _in_manifest(recordings: Iterable[Recording]) -> tuple[list[Listed], int]:
    """List the sound files of a manifest.

    Returns:
        the files, and how many recordings are left out: commands, which are not run,
        and such as are to be changed when they are loaded.
    """
    files, num_others = [], 0
    for line, item in enumerate(recordings, start=1):
        if item.transforms or any(x.type != "file" for x in item.sources):
            num_others += 1
            continue
        files += [
            Listed(
                reco=item.id,
                line=line,
                source=source.source,
                sampling_rate=item.sampling_rate,
                duration=item.num_samples / item.sampling_rate,
                num_channels=len(source.channels),
            )
            for source in item.sources
        ]
    return files, num_others


def _in_tables(tables: Mapping[str, Table]) -> tuple[list[Listed], int]:
    """List the sound files of a wav.scp, with the durations of a reco2dur if any.

    Returns:
        as `_in_manifest`.
    """
    wavs, durations = tables.get("wav.scp", {}), tables.get("reco2dur", {})
    files = []
    for reco, entry in wavs.items():
        if entry.value and not entry.value.endswith("|"):
            file = Listed(reco, entry.line, entry.value)
            try:
                duration = parse_number(durations[reco].value)
            except (KeyError, ValueError):  # what is malformed has been reported
                files.append(file)
            else:
                files.append(file._replace(duration=duration))
    return files, len(wavs) - len(files)


def _compare(path: Path, file: Listed, found: Decoded, report: Report) -> None:
    """Report where a file differs from its listing."""
    rate, length = found.sampling_rate, found.num_samples / found.sampling_rate
    if file.sampling_rate not in (None, rate):
        text = f"{file.reco!r}: expected {file.sampling_rate} Hz, got {rate} Hz"
        report.add(path, file.line, "rate", f"{text} in {file.source!r}", CHANGED)
    if file.num_channels not in (None, found.num_channels):
        text = f"{file.reco!r}: expected {file.num_channels} channels, got "
        text = f"{text}{found.num_channels} in {file.source!r}"
        report.add(path, file.line, "channels", text, CHANGED)
    if file.duration is not None and abs(length - file.duration) > TOLERANCE_SEC:
        text = f"{file.reco!r}: expected {file.duration:.3f} s of audio, got "
        text = f"{text}{length:.3f} s in {file.source!r}"
        report.add(path, file.line, "length", text, CHANGED)
    if found.nonfinite is not None:
        text = f"{file.reco!r}: NaN or infinity in {file.source!r}, first at "
        text = f"{text}{found.nonfinite / rate:.3f} s"
        report.add(path, file.line, "finite", text, CONVERT)


def _try(source: str) -> Decoded | DataError:
    """Decode a file, or return the error."""
    try:
        return _decode(source)
    except DataError as error:
        return error


def _decode(source: str) -> Decoded:
    """Decode a file block by block.

    Raises:
        DataError: as `open_audio` does; it is damaged, or ends before its header says.
    """
    num_samples, nonfinite = 0, None
    with open_audio(source) as file:
        block = np.empty((BLOCK // file.channels or 1, file.channels), np.float32)
        try:
            while len(part := file.read(out=block)):
                if nonfinite is None and not np.isfinite(part).all():
                    rows = ~np.isfinite(part).all(axis=1)
                    nonfinite = num_samples + int(rows.argmax())
                num_samples += len(part)
        except soundfile.LibsndfileError as error:
            problem = f"damaged or cut short: {error.error_string}"
            raise DataError(source, problem, hint=AGAIN) from None
        if num_samples < file.frames:
            problem = f"expected {file.frames} samples, got only {num_samples}"
            raise DataError(source, problem, hint=AGAIN)
        return Decoded(file.samplerate, num_samples, file.channels, nonfinite)
