"""Copy data directories under new utterance ids, cropped on request."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from asdkit.base.errors import AsdkitError
from asdkit.base.names import find_id_problem
from asdkit.base.ranges import NonNegative
from asdkit.data.derived import check_derived
from asdkit.data.directory import COMPUTED, kind_of, read_carried, require_another
from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)


def write_copy(
    source: PathName,
    data_dir: PathName,
    utt_prefix: str = "",
    crop_sec: NonNegative = 0.0,
) -> None:
    """Copy a data directory; audio stays where it is.

    Utterances and recordings get other ids in all tables, trials included; speakers
    keep theirs.  So several versions of one test set can be combined into one.

    Args:
        source: a directory with manifests.
        data_dir: data directory to write, atomically; not ``source``.
        utt_prefix: prefix to add to the ids of all utterances and recordings.
        crop_sec: seconds to keep from the middle of longer utterances, dropping their
            features and VAD decisions; 0: keep all.

    Raises:
        AsdkitError: the prefix holds white space, or makes ids that cannot be names of
            files.
        DataError: the directory is damaged, or both are the same.
    """
    from lhotse.utils import fastcopy

    if any(map(str.isspace, utt_prefix)):
        raise AsdkitError(f"expected a prefix without spaces, got {utt_prefix!r}")
    if utt_prefix and (problem := find_id_problem(f"{utt_prefix}x", "")):
        raise AsdkitError(f"--utt-prefix: {problem}")
    require_another(data_dir, source)
    manifests = read_manifests(source)
    supervisions, num_cropped = [], 0
    for item in manifests.supervisions.values():
        surplus = item.duration - crop_sec if crop_sec else 0.0
        copy = fastcopy(
            item,
            id=utt_prefix + item.id,
            recording_id=utt_prefix + item.recording_id,
        )
        if surplus > 0:
            num_cropped += 1
            copy = fastcopy(copy, start=item.start + surplus / 2, duration=crop_sec)
        supervisions.append(copy)
    recordings = [
        fastcopy(x, id=utt_prefix + x.id) for x in manifests.recordings.values()
    ]
    new_ids = {utt: utt_prefix + utt for utt in manifests.supervisions}
    reco_ids = {reco: utt_prefix + reco for reco in manifests.recordings}
    known = check_derived(source, without=COMPUTED if crop_sec else ())
    carried = {
        name: [_rename(line, kind_of(name), new_ids, reco_ids) for line in lines]
        for name, lines in read_carried(source).items()
        if not (crop_sec and name in COMPUTED)
    }
    write_manifests(data_dir, recordings, supervisions, carried, known, replaces=True)
    logger.info(
        "data-copy: %d utterances, %d of them cropped", len(supervisions), num_cropped
    )


def _rename(
    line: str,
    kind: str | None,
    new_ids: Mapping[str, str],
    reco_ids: Mapping[str, str],
) -> str:
    """Replace the ids in a line of a table that is keyed by some kind of id."""
    words = line.split(" ")
    if kind == "utt":
        words[0] = new_ids.get(words[0], words[0])
    elif kind == "reco":
        words[0] = reco_ids.get(words[0], words[0])
    elif kind == "trials":
        words[:2] = [new_ids.get(word, word) for word in words[:2]]
    elif kind == "models":
        words[1:] = [new_ids.get(word, word) for word in words[1:]]
    return " ".join(words)
