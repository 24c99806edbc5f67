"""Import Kaldi data directories: tables become lhotse manifests.

Utterance ids are kept as they are, also where they do not start with the speaker id,
because a lab's features, trials and vectors use them.  A directory with ``feats.scp``
but no ``wav.scp`` becomes supervisions without recordings: durations come from
``utt2dur``, or from the number of frames.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.base.ranges import FolderPath, Natural
from asdkit.data.derived import list_derived
from asdkit.data.directory import first_word, kind_of, read_carried
from asdkit.data.manifests import write_manifests
from asdkit.io.ark import read_scp
from asdkit.io.headers import tell_channels
from asdkit.io.origins import check_origin
from asdkit.io.tables import PathName
from asdkit.kaldi.import_audio import (
    known_headers,
    read_all_headers,
    read_segments,
    read_wavs,
    to_recording,
)
from asdkit.kaldi.import_supervisions import (
    CHANNELS,
    read_sides,
    supervise_audio,
    supervise_features,
)
from asdkit.kaldi.import_tables import read_utt2spk, rooted

logger = logging.getLogger(__name__)


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
    if not source.exists():
        raise DataError(source, "no such file or directory")
    if source.resolve() != Path(data_dir).resolve():
        for name in list_derived(source):
            check_origin(source / name)
    carried = _root_paths(source, root)
    utt2spk = read_utt2spk(source)
    _warn_about_prefix(utt2spk)
    if (source / "wav.scp").exists():
        segments = read_segments(source, utt2spk)
        wavs = read_wavs(source, segments, root, allow_pipes)
        known = known_headers(source, sampling_rate, channel)
        headers = read_all_headers(source / "wav.scp", wavs, known)
        supervisions = supervise_audio(source, utt2spk, segments, headers, channel)
        recordings = [to_recording(reco, *wavs[reco], headers[reco]) for reco in wavs]
        used = ((item.recording_id, item.channel) for item in supervisions)
        chosen = known.keys() | read_sides(source).keys()
        seen = {reco: x for reco, x in headers.items() if reco not in chosen}
        tell_channels(seen, used, CHANNELS)
    elif (source / "feats.scp").exists():
        recordings = []
        supervisions = supervise_features(source, utt2spk, carried["feats.scp"])
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
            lines = [f"{key} {rooted(root, x)}" for key, x in table.items()]
        is_sorted = kind_of(name) in ("trials", "whole")
        carried[name] = lines if is_sorted else sorted(lines, key=first_word)
    return carried
