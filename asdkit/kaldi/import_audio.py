"""Recordings of a Kaldi data directory: wav.scp, segments, and headers of the audio."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asdkit.base.numbers import parse_finite
from asdkit.io.headers import Header, read_headers
from asdkit.io.tables import read_table
from asdkit.kaldi.import_tables import VALIDATE, fail, read_numbers, rooted

if TYPE_CHECKING:
    from lhotse import Recording

logger = logging.getLogger(__name__)


class Segment(NamedTuple):
    """A line of segments; an utterance without one is its whole recording."""

    reco: str
    start: float = 0.0
    end: float = -1.0  # -1 is the end of the recording
    channel: int | None = None


def read_segments(source: Path, utt2spk: Mapping[str, str]) -> dict[str, Segment]:
    """Read where the utterances are: utt -> segment."""
    path = source / "segments"
    if not path.exists():
        return {utt: Segment(utt) for utt in utt2spk}
    table = read_table(path)
    segments = {}
    for utt in utt2spk:
        if utt not in table:
            fail(source / "utt2spk", utt, f"{utt!r} is not in {path}")
        reco, *numbers = table[utt].split()
        try:
            start, end, *channel = map(parse_finite, numbers)
            segments[utt] = Segment(reco, start, end, *map(int, channel))
        except (ValueError, TypeError):
            line = f"{utt} {table[utt]}"
            fail(path, utt, f"expected '<utt> <reco> <start> <end>', got {line!r}")
    return segments


def read_wavs(
    source: Path, segments: Mapping[str, Segment], root: str, allow_pipes: bool
) -> dict[str, tuple[str, bool]]:
    """Read the recordings in use: reco -> source and whether it is a command."""
    path = source / "wav.scp"
    table = read_table(path)
    for utt, segment in segments.items():
        if segment.reco not in table:
            owner = "segments" if (source / "segments").exists() else "utt2spk"
            fail(source / owner, utt, f"recording {segment.reco!r} is not in {path}")
    wavs = {}
    for reco in dict.fromkeys(segment.reco for segment in segments.values()):
        what = table[reco]
        is_command = what.endswith("|")
        if is_command and not allow_pipes:
            fail(
                path,
                reco,
                f"expected a sound file, got the command {what!r}",
                "--allow-pipes true runs such commands, now and whenever audio is read",
            )
        wavs[reco] = (
            (what[:-1].strip(), True) if is_command else (rooted(root, what), False)
        )
    if len(wavs) < len(table):
        logger.info(
            "kaldi-import: %d of %d recordings have no utterance and are left out",
            len(table) - len(wavs),
            len(table),
        )
    return wavs


def known_headers(source: Path, sampling_rate: int, channel: int) -> dict[str, Header]:
    """Collect what need not be looked up, given the user's sampling rate."""
    if not sampling_rate:
        return {}
    name = "reco2dur"
    if not (source / name).exists() and not (source / "segments").exists():
        name = "utt2dur"
    if not (source / name).exists():
        return {}
    durations = read_numbers(source / name)
    return {
        reco: Header(sampling_rate, round(sampling_rate * duration), channel + 1)
        for reco, duration in durations.items()
    }


def read_all_headers(
    path: Path, wavs: Mapping[str, tuple[str, bool]], known: Mapping[str, Header]
) -> dict[str, Header]:
    """Read the headers of unknown recordings; name all that cannot be read."""
    unknown = {reco: wav for reco, wav in wavs.items() if reco not in known}
    headers, errors = read_headers(unknown)
    for error in list(errors.values())[:20]:
        logger.warning("kaldi-import: %s", error)
    for reco, error in errors.items():
        hint = "give --root, the directory that relative paths start from"
        if error.problem != "no such file" or Path(wavs[reco][0]).is_absolute():
            hint = error.hint or VALIDATE
        what = f"{len(errors)} of {len(wavs)} recordings cannot be read, first {reco!r}"
        fail(path, reco, f"{what}: {error}", hint)
    return {**known, **headers}


def to_recording(reco: str, source: str, is_command: bool, header: Header) -> Recording:
    """Make the lhotse recording."""
    from lhotse import AudioSource, Recording

    kind = "command" if is_command else "file"
    return Recording(
        id=reco,
        sources=[AudioSource(kind, list(range(header.num_channels)), source)],
        sampling_rate=header.sampling_rate,
        num_samples=header.num_samples,
        duration=header.num_samples / header.sampling_rate,
    )
