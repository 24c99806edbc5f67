"""Utterances of a Kaldi data directory as lhotse supervisions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_finite
from asdkit.data.directory import OVERSHOOT, first_word
from asdkit.data.manifest_tables import CUSTOM
from asdkit.data.supervisions import read_genders
from asdkit.io.ark import load_shape
from asdkit.io.headers import Header
from asdkit.io.tables import read_lines, read_table
from asdkit.kaldi.import_audio import Segment
from asdkit.kaldi.import_tables import fail, read_numbers, read_words

if TYPE_CHECKING:
    from lhotse import SupervisionSegment

logger = logging.getLogger(__name__)
SIDES_TABLE = "reco2file_and_channel"
SIDES = {"A": 0, "B": 1, "1": 0, "2": 1}  # in that table
FRAME_SHIFT = 0.01  # seconds, where there is no frame_shift file
CHANNELS = "--channel, segments or reco2file_and_channel choose"


def supervise_audio(
    source: Path,
    utt2spk: Mapping[str, str],
    segments: Mapping[str, Segment],
    headers: Mapping[str, Header],
    channel: int,
) -> list[SupervisionSegment]:
    """Make the lhotse supervisions of recordings."""
    sides = read_sides(source)
    make = _supervisor(source, utt2spk)
    supervisions = []
    num_cut = 0
    for utt, segment in segments.items():
        header = headers[segment.reco]
        length = header.num_samples / header.sampling_rate
        end = length if segment.end == -1 else segment.end
        if not 0 <= segment.start < min(end, length) or end > length + OVERSHOOT:
            fail(
                source / "segments",
                utt,
                f"expected a time within the {length:.2f} seconds of {segment.reco!r}, "
                f"got {segment.start} to {segment.end}",
            )
        num_cut += end > length
        # Tables have eight digits; the end of a recording is exact.
        end = length if end > length - 0.5 / header.sampling_rate else end
        duration = round(end - segment.start, 8) if segment.start else end
        chosen = _choose_channel(segment, header, sides.get(segment.reco), channel)
        if chosen is None and segment.channel is None and segment.reco in sides:
            got = sides[segment.reco]
            problem = f"expected a side of {header.num_channels}, A or B, got {got!r}"
            fail(source / SIDES_TABLE, segment.reco, problem)
        if chosen is None:
            fail(
                source / "wav.scp",
                segment.reco,
                f"{utt!r} has a channel that is not among {header.num_channels}",
                f"{CHANNELS}, counted from 0",
            )
        supervisions.append(make(utt, segment.reco, segment.start, duration, chosen))
    if num_cut:
        logger.info(
            "kaldi-import: %d segments ended late and were cut",
            num_cut,
        )
    return supervisions


def read_sides(source: Path) -> dict[str, str]:
    """Read which side of a call a recording is: reco -> file and side, if any."""
    path = source / SIDES_TABLE
    return read_table(path) if path.exists() else {}


def _choose_channel(
    segment: Segment, header: Header, side: str | None, channel: int
) -> int | None:
    """Find the channel of an utterance, None if its recording does not have it."""
    if segment.channel is not None:
        channel = segment.channel
    elif side and header.num_channels > 1:
        channel = SIDES.get(side.split()[-1], -1)
    return channel if channel in range(header.num_channels) else None


def supervise_features(
    source: Path, utt2spk: Mapping[str, str], feats: Sequence[str]
) -> list[SupervisionSegment]:
    """Make lhotse supervisions of utterances with features but no audio."""
    durations: dict[str, float] = {}
    shift = _frame_shift(source / "frame_shift")
    if (source / "utt2dur").exists():
        durations = read_numbers(source / "utt2dur")
    elif (source / "utt2num_frames").exists():
        frames = read_numbers(source / "utt2num_frames")
        durations = {utt: round(n * shift, 8) for utt, n in frames.items()}
    locations = dict(line.split(" ", 1) for line in feats)
    make = _supervisor(source, utt2spk)
    supervisions = []
    for utt in utt2spk:
        if utt not in locations:
            fail(source / "utt2spk", utt, f"{utt!r} is not in {source / 'feats.scp'}")
        if utt not in durations:
            num_frames = load_shape(utt, locations[utt])[0]
            durations[utt] = round(num_frames * shift, 8)
        supervisions.append(make(utt, utt, 0.0, durations[utt], 0))
    return supervisions


def _frame_shift(path: Path) -> float:
    """Seconds between frames: Kaldi's frame_shift file, or its usual 10 ms."""
    if not path.exists():
        return FRAME_SHIFT
    text = path.read_text().strip()
    try:
        return parse_finite(text)
    except ValueError:
        raise DataError(path, f"expected seconds, got {text!r}", line=1) from None


def _supervisor(
    source: Path, utt2spk: Mapping[str, str]
) -> Callable[[str, str, float, float, int], SupervisionSegment]:
    """Prepare supervisions: attributes of speakers, and words."""
    from lhotse import SupervisionSegment

    genders, texts = source / "spk2gender", source / "text"
    spk2gender = read_genders(genders) if genders.exists() else {}
    lines = read_lines(texts) if texts.exists() else []
    text = {first_word(line): " ".join(line.split()[1:]) for line in lines}
    known = {
        name: read_words(source / f"utt2{name}", f"<{name}>")
        for name in CUSTOM
        if (source / f"utt2{name}").exists()
    }

    def make(
        utt: str, reco: str, start: float, duration: float, channel: int
    ) -> SupervisionSegment:
        return SupervisionSegment(
            id=utt,
            recording_id=reco,
            start=start,
            duration=duration,
            channel=channel,
            speaker=utt2spk[utt],
            gender=spk2gender.get(utt2spk[utt]),
            text=text.get(utt),
            custom={k: table[utt] for k, table in known.items() if utt in table}
            or None,
        )

    return make
