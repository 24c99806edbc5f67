"""Data directories whose long recordings are cut into utterances by their VAD."""

from __future__ import annotations

import logging

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.ranges import NonNegative, Positive
from asdkit.data.derived import FROM_AUDIO, check_derived
from asdkit.data.directory import require_another
from asdkit.data.frame_segments import frame_times
from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.io.ark import load_array, read_scp
from asdkit.io.tables import PathName
from asdkit.segmentation.utterances import cut_at_pauses

logger = logging.getLogger(__name__)


def write_segmented(
    source: PathName,
    data_dir: PathName,
    max_sec: Positive = 8.0,
    min_sec: NonNegative = 1.0,
    margin_sec: NonNegative = 0.1,
) -> None:
    """Cut the utterances of a data directory in their pauses; audio stays as it is.

    Args:
        source: a directory with manifests and vad.scp.
        data_dir: data directory to write, atomically; not ``source``.  Its utt2session
            names the utterance that each was cut from.
        max_sec: seconds of an utterance at most; shorter recordings stay whole.
        min_sec: seconds of speech in an utterance that was cut; what has less is left
            out.
        margin_sec: seconds to keep before and behind the speech of an utterance.

    Raises:
        DataError: a file is missing, damaged or of other audio, or nothing is left.
    """
    from lhotse.utils import fastcopy

    require_another(data_dir, source)
    check_derived(source, FROM_AUDIO)
    manifests = read_manifests(source)
    vads = read_scp(f"{source}/vad.scp")
    times = frame_times(source)
    longest = max(2, round((max_sec - 2 * margin_sec) / times.shift_sec))
    supervisions, sessions, num_cut, num_silent = [], [], 0, 0
    for utt, item in manifests.supervisions.items():
        if item.duration <= max_sec:
            supervisions.append(item)
            sessions.append(f"{utt} {utt}")
            continue
        speech = load_array(utt, vads[utt]) > 0 if utt in vads else np.zeros(0, bool)
        spans = cut_at_pauses(speech, longest, round(min_sec / times.shift_sec))
        num_cut += bool(spans)
        num_silent += not spans
        for n, span in enumerate(spans, start=1):
            start = times.first_sec + span.start * times.shift_sec - margin_sec
            stop = times.first_sec + span.stop * times.shift_sec + margin_sec
            start, stop = max(start, 0.0), min(stop, item.duration)
            name = f"{utt}-{n:04d}"
            copy = fastcopy(
                item,
                id=name,
                start=round(item.start + start, 6),
                duration=round(stop - start, 6),
            )
            supervisions.append(copy)
            sessions.append(f"{name} {utt}")
    if not supervisions:
        raise DataError(source, "no utterance is left: no recording has enough speech")
    used = {item.recording_id for item in supervisions}
    recordings = [x for reco, x in manifests.recordings.items() if reco in used]
    carried = {"utt2session": sorted(sessions)}
    write_manifests(data_dir, recordings, supervisions, carried, replaces=True)
    logger.info(
        "data-segment: %d utterances of %d recordings: %d cut, %d without speech",
        *(len(supervisions), len(manifests.supervisions), num_cut, num_silent),
    )
