"""Convert frame decisions to timed segments: RTTM and lhotse supervisions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asdkit.base.distributed import is_main
from asdkit.base.errors import DataError
from asdkit.data.feats_info import read_info
from asdkit.data.manifests import SUPERVISIONS, read_manifests
from asdkit.io.ark import read_arrays
from asdkit.io.files import write_atomic
from asdkit.io.rttm import Turn, write_rttm
from asdkit.io.tables import PathName
from asdkit.segmentation.segments import FrameTimes, segments_of

if TYPE_CHECKING:
    from lhotse import SupervisionSegment


def frame_times(data_dir: PathName) -> FrameTimes:
    """Return the times of the frames of a data directory's features.

    Features without a record are taken for Kaldi's, 25 ms every 10 ms.
    """
    info = read_info(data_dir)
    if info is None:
        return FrameTimes()
    shift = info.options["frame_shift"] / 1000
    window = info.options["frame_length"] / 1000
    inside = info.options.get("snip_edges", True)
    return FrameTimes(shift, (window - shift) / 2 if inside else 0.0)


def write_speech(
    data_dir: PathName, rttm: PathName | None, supervisions: PathName | None
) -> None:
    """Write vad.scp's decisions as segments of the class "speech".

    Args:
        data_dir: with manifests and vad.scp.
        rttm: RTTM file to write; None: not written.
        supervisions: file of lhotse supervisions to write; None: not written.

    Raises:
        DataError: a file is missing or damaged.
    """
    if is_main() and (rttm or supervisions):
        vads = read_arrays(f"scp:{data_dir}/vad.scp")
        classes = ((utt, (vad > 0).astype(int)) for utt, vad in vads)
        write_segments(data_dir, classes, {1: "speech"}, rttm, supervisions)


def write_segments(
    data_dir: PathName,
    classes: Iterable[tuple[str, np.ndarray]],
    names: Mapping[int, str],
    rttm: PathName | None,
    supervisions: PathName | None,
) -> None:
    """Write runs of frames of one class.

    Args:
        data_dir: with manifests.
        classes: utterances and their (T,) classes, frames as the features have them.
        names: class -> name; other classes are not written.
        rttm: RTTM file to write; None: not written.
        supervisions: file of lhotse supervisions to write, with ``custom={"class":
            name}``; None: not written.

    Raises:
        DataError: an utterance is not in the manifests.
    """
    found = list(_segments(data_dir, classes, names))
    if rttm:
        write_rttm(rttm, map(_turn, found))
    if supervisions:
        _write_supervisions(supervisions, found)


def _segments(
    data_dir: PathName,
    classes: Iterable[tuple[str, np.ndarray]],
    names: Mapping[int, str],
) -> Iterator[SupervisionSegment]:
    """Yield segments with their times in the recording."""
    from lhotse import SupervisionSegment

    times, utterances = frame_times(data_dir), read_manifests(data_dir).supervisions
    for utt, labels in classes:
        if utt not in utterances:
            raise DataError(Path(data_dir) / SUPERVISIONS, f"{utt!r} is not in it")
        item = utterances[utt]
        kept = [x for x in segments_of(labels) if x.label in names]
        for number, segment in enumerate(kept, start=1):
            start, stop = times.seconds(segment, len(labels), item.duration)
            yield SupervisionSegment(
                id=f"{utt}-{number:04d}",
                recording_id=item.recording_id,
                start=round(item.start + start, 6),
                duration=round(stop - start, 6),
                channel=item.channel,
                speaker=item.speaker,
                custom={"class": names[segment.label]},
            )


def _turn(segment: SupervisionSegment) -> Turn:
    """Make a line of RTTM; its channels count from 1."""
    label, channel = segment.custom["class"], segment.channel + 1
    return Turn(segment.recording_id, segment.start, segment.duration, label, channel)


def _write_supervisions(path: PathName, items: Iterable[SupervisionSegment]) -> None:
    """Write a manifest atomically."""
    with (
        write_atomic(path, "wb") as stream,
        gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as lines,
    ):
        for item in items:
            lines.write(json.dumps(item.to_dict(), ensure_ascii=False).encode() + b"\n")
