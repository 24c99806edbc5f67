"""Import Kaldi data directories: tables become lhotse manifests.

Utterance ids are kept as they are, also where they do not start with the speaker id,
because a lab's features, trials and vectors use them.  A directory with ``feats.scp``
but no ``wav.scp`` becomes supervisions without recordings: durations come from
``utt2dur``, or from the number of frames.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from asdkit.base.errors import DataError
from asdkit.base.names import CURE, find_id_problem
from asdkit.base.numbers import parse_finite
from asdkit.base.ranges import FolderPath, Natural
from asdkit.data.derived import list_derived
from asdkit.data.directory import OVERSHOOT, first_word, kind_of, read_carried
from asdkit.data.manifest_tables import CUSTOM
from asdkit.data.manifests import write_manifests
from asdkit.data.supervisions import read_genders
from asdkit.io.ark import load_shape, read_scp
from asdkit.io.headers import Header, read_headers, tell_channels
from asdkit.io.origins import check_origin
from asdkit.io.tables import PathName, read_lines, read_table

if TYPE_CHECKING:
    from lhotse import Recording, SupervisionSegment

logger = logging.getLogger(__name__)
SIDES = {"A": 0, "B": 1, "1": 0, "2": 1}  # in reco2file_and_channel
FRAME_SHIFT = 0.01  # seconds, where there is no frame_shift file
CHANNELS = "--channel, segments or reco2file_and_channel choose"
VALIDATE = "asdkit data-validate names every such line, and --fix true repairs"


class Segment(NamedTuple):
    """A line of segments; an utterance without one is its whole recording."""

    reco: str
    start: float = 0.0
    end: float = -1.0  # -1 is the end of the recording
    channel: int | None = None


def import_directory(
    source: PathName,
    data_dir: PathName,
    root: FolderPath = ".",
    allow_pipes: bool = False,
    channel: Natural = 0,
    sampling_rate: Natural = 0,
) -> None:
    """Make a data directory from a Kaldi data directory.

    Args:
        source: any directory that Kaldi's validate_data_dir.sh accepts, sorted or not.
        data_dir: data directory to write, atomically.
        root: directory that relative paths in the tables start from; commands run in
            the working directory.
        allow_pipes: accept recordings that are shell commands (wav.scp lines ending in
            a pipe), and run them, now and whenever audio is read.
        channel: channel of recordings with several, counted from 0, where neither
            segments nor reco2file_and_channel names it.
        sampling_rate: sampling rate of all recordings in Hz, so that those of known
            length (reco2dur, utt2dur) need not be opened; 0: open all.

    Raises:
        DataError: a table is malformed or contradicts another, audio is missing or
            unreadable, or there is a command that is not allowed.
    """
    source = Path(source)
    if source.resolve() != Path(data_dir).resolve():
        for name in list_derived(source):
            check_origin(source / name)
    carried = _root_paths(source, root)
    utt2spk = _read_utt2spk(source)
    _warn_about_prefix(utt2spk)
    if (source / "wav.scp").exists():
        segments = _read_segments(source, utt2spk)
        wavs = _read_wavs(source, segments, root, allow_pipes)
        known = _known_headers(source, sampling_rate, channel)
        headers = _probe(source / "wav.scp", wavs, known)
        supervisions = _supervise(source, utt2spk, segments, headers, channel)
        recordings = [_record(reco, *wavs[reco], headers[reco]) for reco in wavs]
        used = ((item.recording_id, item.channel) for item in supervisions)
        seen = {reco: x for reco, x in headers.items() if reco not in known}
        tell_channels(seen, used, CHANNELS)
    elif (source / "feats.scp").exists():
        recordings = []
        supervisions = _supervise_features(source, utt2spk, carried["feats.scp"])
    else:
        raise DataError(source, "expected wav.scp or feats.scp, got neither")
    write_manifests(data_dir, recordings, supervisions, carried, replaces=True)
    logger.info(
        "kaldi-import: %d utterances of %d speakers, %d recordings, %.2f hours",
        len(supervisions),
        len(set(utt2spk.values())),
        len(recordings),
        sum(item.duration for item in supervisions) / 3600,
    )


def _read_utt2spk(source: Path) -> dict[str, str]:
    """Read utt2spk, or turn spk2utt around where it is all there is."""
    if (source / "utt2spk").exists() or not (source / "spk2utt").exists():
        path, utt2spk = source / "utt2spk", _read_words(source / "utt2spk", "<spk>")
    else:
        path = source / "spk2utt"
        spk2utt = read_table(path)
        utt2spk = {utt: spk for spk, utts in spk2utt.items() for utt in utts.split()}
    if not utt2spk:
        raise DataError(path, "expected utterances, got an empty table")
    for utt, spk in utt2spk.items():
        if problem := find_id_problem(utt) or find_id_problem(spk):
            _fail(path, utt, problem, CURE)
    return utt2spk


def _read_words(path: Path, what: str) -> dict[str, str]:
    """Read a table whose values are one word each."""
    table = read_table(path)
    for key, value in table.items():
        if len(value.split()) != 1:
            problem = f"expected '<utt> {what}', got {f'{key} {value}'!r}"
            _fail(path, key, problem, "asdkit data-validate names every such line")
    return table


def _warn_about_prefix(utt2spk: Mapping[str, str]) -> None:
    """Warn once about ids that Kaldi's scripts will reject."""
    bare = [utt for utt, spk in utt2spk.items() if not utt.startswith(spk)]
    if bare:
        logger.warning(
            "kaldi-import: %d of %d utterance ids do not start with their speaker id, "
            "e.g. %r; they are kept, and sorted in the C locale's order (Kaldi's "
            "scripts want asdkit data-export --prefix-speaker true)",
            len(bare),
            len(utt2spk),
            bare[0],
        )


def _root_paths(source: Path, root: str) -> dict[str, list[str]]:
    """Read the carried tables; paths in them are relative to the root."""
    carried = read_carried(source)
    for name, lines in carried.items():
        if name.endswith(".scp"):
            table = read_scp(source / name)
            lines = [f"{key} {_rooted(root, x)}" for key, x in table.items()]
        is_sorted = kind_of(name) in ("trials", "whole")
        carried[name] = lines if is_sorted else sorted(lines, key=first_word)
    return carried


def _rooted(root: str, path: str) -> str:
    """Make a relative path start from the root."""
    return path if root == "." else os.path.join(root, path)


def _fail(path: Path, key: str, problem: str, hint: str = VALIDATE) -> NoReturn:
    """Raise for the line of a key."""
    keys = [first_word(line) for line in read_lines(path)] if path.exists() else []
    line = keys.index(key) + 1 if key in keys else None
    raise DataError(path, problem, line=line, hint=hint)


def _read_segments(source: Path, utt2spk: Mapping[str, str]) -> dict[str, Segment]:
    """Read where the utterances are: utt -> segment."""
    path = source / "segments"
    if not path.exists():
        return {utt: Segment(utt) for utt in utt2spk}
    table = read_table(path)
    segments = {}
    for utt in utt2spk:
        if utt not in table:
            _fail(source / "utt2spk", utt, f"{utt!r} is not in {path}")
        reco, *numbers = table[utt].split()
        try:
            start, end, *channel = map(parse_finite, numbers)
            segments[utt] = Segment(reco, start, end, *map(int, channel))
        except (ValueError, TypeError):
            line = f"{utt} {table[utt]}"
            _fail(path, utt, f"expected '<utt> <reco> <start> <end>', got {line!r}")
    return segments


def _read_wavs(
    source: Path, segments: Mapping[str, Segment], root: str, allow_pipes: bool
) -> dict[str, tuple[str, bool]]:
    """Read the recordings in use: reco -> source and whether it is a command."""
    path = source / "wav.scp"
    table = read_table(path)
    for utt, segment in segments.items():
        if segment.reco not in table:
            owner = "segments" if (source / "segments").exists() else "utt2spk"
            _fail(source / owner, utt, f"recording {segment.reco!r} is not in {path}")
    wavs = {}
    for reco in dict.fromkeys(segment.reco for segment in segments.values()):
        what = table[reco]
        is_command = what.endswith("|")
        if is_command and not allow_pipes:
            _fail(
                path,
                reco,
                f"expected a sound file, got the command {what!r}",
                "--allow-pipes true runs such commands, now and whenever audio is read",
            )
        wavs[reco] = (
            (what[:-1].strip(), True) if is_command else (_rooted(root, what), False)
        )
    if len(wavs) < len(table):
        logger.info(
            "kaldi-import: %d of %d recordings have no utterance and are left out",
            len(table) - len(wavs),
            len(table),
        )
    return wavs


def _known_headers(source: Path, sampling_rate: int, channel: int) -> dict[str, Header]:
    """Collect what need not be looked up, given the user's sampling rate."""
    if not sampling_rate:
        return {}
    name = "reco2dur"
    if not (source / name).exists() and not (source / "segments").exists():
        name = "utt2dur"
    if not (source / name).exists():
        return {}
    durations = _read_numbers(source / name)
    return {
        reco: Header(sampling_rate, round(sampling_rate * duration), channel + 1)
        for reco, duration in durations.items()
    }


def _read_numbers(path: Path) -> dict[str, float]:
    """Read a table of positive numbers."""
    numbers = {}
    for key, value in read_table(path).items():
        try:
            numbers[key] = parse_finite(value)
        except ValueError:
            numbers[key] = 0.0
        if not numbers[key] > 0:
            _fail(path, key, f"expected a positive number, got {value!r}")
    return numbers


def _probe(
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
        _fail(path, reco, f"{what}: {error}", hint)
    return {**known, **headers}


def _record(reco: str, source: str, is_command: bool, header: Header) -> Recording:
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


def _supervise(
    source: Path,
    utt2spk: Mapping[str, str],
    segments: Mapping[str, Segment],
    headers: Mapping[str, Header],
    channel: int,
) -> list[SupervisionSegment]:
    """Make the lhotse supervisions of recordings."""
    path = source / "reco2file_and_channel"
    sides = read_table(path) if path.exists() else {}
    make = _supervisor(source, utt2spk)
    supervisions = []
    num_cut = 0
    for utt, segment in segments.items():
        header = headers[segment.reco]
        length = header.num_samples / header.sampling_rate
        end = length if segment.end == -1 else segment.end
        if not 0 <= segment.start < min(end, length) or end > length + OVERSHOOT:
            _fail(
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
        if chosen is None:
            _fail(
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


def _choose_channel(
    segment: Segment, header: Header, side: str | None, channel: int
) -> int | None:
    """Find the channel of an utterance, None if its recording does not have it."""
    if segment.channel is not None:
        channel = segment.channel
    elif side and header.num_channels > 1:
        channel = SIDES.get(side.split()[-1], -1)
    return channel if channel in range(header.num_channels) else None


def _supervise_features(
    source: Path, utt2spk: Mapping[str, str], feats: Sequence[str]
) -> list[SupervisionSegment]:
    """Make lhotse supervisions of utterances with features but no audio."""
    durations: dict[str, float] = {}
    shift = _frame_shift(source / "frame_shift")
    if (source / "utt2dur").exists():
        durations = _read_numbers(source / "utt2dur")
    elif (source / "utt2num_frames").exists():
        frames = _read_numbers(source / "utt2num_frames")
        durations = {utt: round(n * shift, 8) for utt, n in frames.items()}
    locations = dict(line.split(" ", 1) for line in feats)
    make = _supervisor(source, utt2spk)
    supervisions = []
    for utt in utt2spk:
        if utt not in locations:
            _fail(source / "utt2spk", utt, f"{utt!r} is not in {source / 'feats.scp'}")
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
        name: _read_words(source / f"utt2{name}", f"<{name}>")
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
