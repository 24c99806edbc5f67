"""Utterances as lhotse cuts, linked to their audio, features and VAD."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asdkit.base.errors import DataError, FitError
from asdkit.data.derived import FROM_AUDIO, check_derived
from asdkit.data.feats_info import read_info
from asdkit.data.manifests import RECORDINGS, SUPERVISIONS, Manifests, read_manifests
from asdkit.data.supervisions import attack_in
from asdkit.io.ark import load_array, load_shape, read_scp
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName, read_table

if TYPE_CHECKING:
    from lhotse import CutSet, MonoCut, SupervisionSegment

logger = logging.getLogger(__name__)

SPOOF_CLASSES = ("spoof", BONAFIDE)  # in the order of their labels
PIPES = "--allow-pipes true runs such commands"
FILES = (
    "write the audio to files first, e.g. with Kaldi's wav-copy; or compute features "
    "with feats-compute, which has --allow-pipes"
)
COUNT = re.compile("0*[1-9][0-9]{0,15}")
FRAME_SHIFT = 10.0  # milliseconds, of features without a record


def read_cuts(
    data_dir: PathName,
    features: bool,
    voiced: bool = False,
    min_sec: float = 0.025,
    allow_pipes: bool | None = None,
) -> CutSet:
    """Read the utterances of a data directory as cuts, sorted by id.

    Without ``features``, a cut has its recording; with them, it has what feats.scp
    lists, which lhotse can load where kaldi_native_io is installed.

    Args:
        data_dir: with manifests; with feats.scp if ``features``.
        features: whether the cuts carry stored features or audio.
        voiced: whether features are to be used without the frames that vad.scp
            rejects; the custom fields ``vad`` and ``num_voiced`` of a cut say so.
        min_sec: utterances of audio shorter than this window are left out.
        allow_pipes: whether recordings may be commands, which lhotse would run; None
            where the program has no such option.

    Raises:
        DataError: a file is missing or damaged, or of other audio; an utterance has no
            recording, or more utterances are left out than kept.
    """
    from lhotse import CutSet

    manifests = read_manifests(data_dir)
    directory, utts = Path(data_dir), list(manifests.supervisions)
    if features:
        check_derived(data_dir, FROM_AUDIO if voiced else FROM_AUDIO[:1])
        cuts = _feature_cuts(directory, manifests)
        tell_left_out(directory, utts, cuts, "have no features in feats.scp")
        if voiced:
            utts = [cut.id for cut in cuts]
            cuts = _attach_vad(directory, cuts)
            tell_left_out(directory, utts, cuts, "have no voiced frame")
    else:
        cuts = _audio_cuts(directory, manifests, min_sec)
        if not allow_pipes:
            _refuse_commands(directory, cuts, FILES if allow_pipes is None else PIPES)
        what = f"are shorter than one window of {1000 * min_sec:g} ms"
        tell_left_out(directory, utts, cuts, what)
    return CutSet.from_cuts(cuts)


def tell_left_out(
    where: PathName, utts: Sequence[str], kept: Sequence[MonoCut], why: str
) -> None:
    """Log which utterances are left out.

    Args:
        where: data directory, for messages.
        utts: all of them.
        kept: utterances that are not left out.
        why: reason, "have no ...".

    Raises:
        DataError: most are left out, or all.
    """
    ids = {cut.id for cut in kept}
    left_out = [utt for utt in utts if utt not in ids]
    if not left_out and kept:
        return
    names = " ".join(left_out[:10]) + (" ..." if len(left_out) > 10 else "")
    text = f"{len(left_out)} of {len(utts)} utterances {why}"
    if len(left_out) > len(kept) or not kept:
        hint = "asdkit data-validate says more"
        raise DataError(where, f"{text}: {names}", hint=hint)
    logger.warning("cuts: %s: %s, left out: %s", where, text, names)


def speaker_of(cut: MonoCut) -> str:
    """Name the speaker of an utterance; an unknown one is the utterance's own."""
    return cut.supervisions[0].speaker or cut.id


def attack_of(cut: MonoCut) -> str:
    """Name the attack of an utterance; "bonafide" where there is none.

    Raises:
        DataError: unknown.
    """
    return attack_in(cut.supervisions[0])


def spoof_class_of(cut: MonoCut) -> str:
    """Name the class of an utterance, "spoof" or "bonafide"."""
    return BONAFIDE if attack_of(cut) == BONAFIDE else "spoof"


def number_spoof_classes(cuts: Iterable[MonoCut]) -> dict[str, int]:
    """Number the classes, spoof 0 and bonafide 1.

    Raises:
        FitError: the utterances are all of one class.
    """
    found = {spoof_class_of(cut) for cut in cuts}
    if len(found) < len(SPOOF_CLASSES):
        raise FitError(
            f"expected bona fide and spoofed utterances, got only {' '.join(found)}",
            hint="check utt2attack, and whether a subset dropped a class",
        )
    return {name: label for label, name in enumerate(SPOOF_CLASSES)}


def number_speakers(cuts: Iterable[MonoCut]) -> dict[str, int]:
    """Number the speakers in the order of their names: speaker -> 0, 1, ..."""
    return {spk: k for k, spk in enumerate(sorted(set(map(speaker_of, cuts))))}


def _audio_cuts(directory: Path, manifests: Manifests, min_sec: float) -> list[MonoCut]:
    """Make cuts of the utterances that are long enough."""
    from lhotse import MonoCut

    cuts = []
    for utt, item in manifests.supervisions.items():
        recording = manifests.recordings.get(item.recording_id)
        if recording is None:
            raise DataError(
                directory / SUPERVISIONS,
                f"{utt!r}: {RECORDINGS} has no recording {item.recording_id!r}",
                hint="a directory imported without wav.scp has features but no audio",
            )
        if item.duration < min_sec:
            continue
        channel = item.channel
        if channel not in recording.channel_ids:
            raise DataError(
                directory / SUPERVISIONS,
                f"{utt!r}: expected one of the channels {recording.channel_ids} of "
                f"recording {recording.id!r}, got {channel!r}",
            )
        # Rounding in tables must not make an utterance end behind its recording.
        duration = min(item.duration, recording.duration - item.start)
        if item.start < 0 or duration <= 0:
            raise DataError(
                directory / SUPERVISIONS,
                f"{utt!r}: expected a time within the {recording.duration:g} s of its "
                f"recording, got {item.start:g} s to {item.end:g} s",
                hint="asdkit data-validate names every such utterance",
            )
        cuts.append(
            MonoCut(
                utt, item.start, duration, channel, [_at_zero(item)], None, recording
            )
        )
    return cuts


def _read_counts(path: Path) -> dict[str, int]:
    """Read the number of frames of every utterance; none if there is no table."""
    counts: dict[str, int] = {}
    if path.exists():
        for line, (utt, value) in enumerate(read_table(path).items(), start=1):
            if not COUNT.fullmatch(value):
                problem = f"expected a number of frames, got {value!r}"
                raise DataError(path, problem, line=line)
            counts[utt] = int(value)
    return counts


def _feature_cuts(directory: Path, manifests: Manifests) -> list[MonoCut]:
    """Make cuts of the utterances that have features."""
    from lhotse import Features, MonoCut

    path = directory / "feats.scp"
    if not path.exists():
        raise DataError(
            path,
            "no such file",
            hint="asdkit feats-compute writes it; or train from audio",
        )
    table = read_scp(path)
    if not table:
        raise DataError(path, "expected features, got none")
    num_frames = _read_counts(directory / "utt2num_frames")
    dim = load_shape(*next(iter(table.items())))[-1]
    info = read_info(directory)
    shift = info.options.get("frame_shift", FRAME_SHIFT) if info else FRAME_SHIFT
    cuts = []
    for utt, item in manifests.supervisions.items():
        if utt not in table:
            continue
        recording = manifests.recordings.get(item.recording_id)
        features = Features(
            type=info.type if info else "kaldi",
            num_frames=num_frames.get(utt) or load_shape(utt, table[utt])[0],
            num_features=dim,
            frame_shift=shift / 1000,
            sampling_rate=recording.sampling_rate if recording else 16000,
            start=item.start,
            duration=item.duration,
            storage_type="kaldiio",
            storage_path=str(path),
            storage_key=utt,
            recording_id=item.recording_id,
            channels=item.channel,
        )
        cuts.append(
            MonoCut(
                utt,
                item.start,
                item.duration,
                item.channel,
                [_at_zero(item)],
                features,
                recording,
            )
        )
    return cuts


def _attach_vad(directory: Path, cuts: Sequence[MonoCut]) -> list[MonoCut]:
    """Attach VAD locations to cuts; return those with a voiced frame."""
    path = directory / "vad.scp"
    if not path.exists():
        raise DataError(path, "no such file", hint="asdkit vad-compute writes it")
    table = read_scp(path)
    kept = []
    for cut in cuts:
        if cut.id not in table:
            raise DataError(path, f"{cut.id!r} is not in it")
        num_voiced = int((load_array(cut.id, table[cut.id]) > 0).sum())
        cut.custom = {"vad": table[cut.id], "num_voiced": num_voiced}
        if num_voiced:
            kept.append(cut)
    return kept


def _at_zero(supervision: SupervisionSegment) -> SupervisionSegment:
    """Start a supervision with its cut, as lhotse wants it."""
    return supervision.with_offset(-supervision.start)


def _refuse_commands(directory: Path, cuts: Iterable[MonoCut], hint: str) -> None:
    """Raise if a recording is a command and the user has not allowed it to run."""
    for cut in cuts:
        for source in cut.recording.sources:
            if source.type == "command":
                raise DataError(
                    directory / RECORDINGS,
                    f"{cut.recording_id!r}: expected a file, got the command "
                    f"{source.source!r}",
                    hint=hint,
                )
