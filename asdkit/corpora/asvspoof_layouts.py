"""Locations of lists and audio in the ASVspoof corpora and PartialSpoof.

Source: the README files of ASVspoof 2019 LA and PA, of ASVspoof 2021's databases and
keys, and of ASVspoof 5's; for 2021's speakers to enroll, which are those of 2019, the
challenge's evaluation plan; for PartialSpoof the scripts of its authors, metric/ in
https://github.com/nii-yamagishilab/PartialSpoof.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from asdkit.base.errors import AsdkitError, DataError
from asdkit.io.tables import PathName


class Layout(NamedTuple):
    """The files of one part of a corpus, relative to its root or to a folder in it.

    Attributes:
        audio: folder of ``<utt>.flac``, or with another suffix.
        cm: protocol of bona fide and spoofed utterances.
        cm_format: format of ``cm``, from `asdkit.io.protocols.CM_LINES`.
        asv: protocol of pairs of an enrolled speaker and an utterance; "" without ASV.
        asv_format: format of ``asv``, from `asdkit.io.protocols.ASV_LINES`.
        enroll: lists of enrolled speakers, whose utterances are not CM trials.
        enroll_audio: folder of the enrollment audio.
        asv_scores: scores of the pairs from the organizers' own system.
        suffix: suffix of the audio files.
        turns: RTTM of spoofed turns in partially spoofed utterances.
    """

    audio: str
    cm: str
    cm_format: str
    asv: str = ""
    asv_format: str = ""
    enroll: tuple[str, ...] = ()
    enroll_audio: str = ""
    asv_scores: str = ""
    suffix: str = "flac"
    turns: str = ""


def _asvspoof2019(track: str, part: str) -> Layout:
    """One part of ASVspoof 2019's LA or PA."""
    folder, name = f"ASVspoof2019_{track}", f"ASVspoof2019.{track}"
    audio = f"{folder}_{part}/flac"
    if part == "train":
        cm = f"{folder}_cm_protocols/{name}.cm.train.trn.txt"
        return Layout(audio, cm, "asvspoof2019")
    asv = f"{folder}_asv_protocols/{name}.asv.{part}"
    return Layout(
        audio,
        cm=f"{folder}_cm_protocols/{name}.cm.{part}.trl.txt",
        cm_format="asvspoof2019",
        asv=f"{asv}.gi.trl.txt",
        asv_format="asvspoof2019" if track == "LA" else "asvspoof2019_pa",
        enroll=(f"{asv}.female.trn.txt", f"{asv}.male.trn.txt"),
        enroll_audio=audio,
        asv_scores=f"{folder}_asv_scores/{name}.asv.{part}.gi.trl.scores.txt",
    )


def _asvspoof2021(track: str) -> Layout:
    """ASVspoof 2021's LA, PA or DF, with the keys that were published later."""
    keys, kind = f"{track}/ASV", f"asvspoof2021_{track.lower()}"
    layout = Layout(
        audio=f"ASVspoof2021_{track}_eval/flac",
        cm=f"{track}/CM/trial_metadata.txt",
        cm_format=kind,
    )
    if track == "DF":
        return layout
    earlier = _asvspoof2019(track, "eval")
    return layout._replace(
        asv=f"{keys}/trial_metadata.txt",
        asv_format=kind,
        enroll=earlier.enroll,
        enroll_audio=earlier.enroll_audio,
        asv_scores=f"{keys}/ASVTorch_Kaldi/score.txt",
    )


def _asvspoof5(part: str, audio: str) -> Layout:
    """One part of ASVspoof 5."""
    if part == "train":
        return Layout(audio, "ASVspoof5.train.tsv", "asvspoof5")
    return Layout(
        audio,
        cm=f"ASVspoof5.{part}.track_1.tsv",
        cm_format="asvspoof5",
        asv=f"ASVspoof5.{part}.track_2.trial.tsv",
        asv_format="asvspoof5",
        enroll=(f"ASVspoof5.{part}.track_2.enroll.tsv",),
        enroll_audio=audio,
    )


def _partialspoof(part: str) -> Layout:
    """One part of PartialSpoof, whose protocols are written as ASVspoof 2019's."""
    name = f"PartialSpoof.LA.cm.{part}.trl.txt"
    return Layout(
        audio=f"{part}/con_wav",
        cm=f"protocols/PartialSpoof_LA_cm_protocols/{name}",
        cm_format="asvspoof2019",
        suffix="wav",
        turns=f"{part}/con_data/rttm_2cls_0sil_spoof",
    )


PARTS = ("train", "dev", "eval")
LAYOUTS: dict[str, dict[str, Layout]] = {
    "asvspoof2019_la": {part: _asvspoof2019("LA", part) for part in PARTS},
    "asvspoof2019_pa": {part: _asvspoof2019("PA", part) for part in PARTS},
    "asvspoof2021_la": {"eval": _asvspoof2021("LA")},
    "asvspoof2021_pa": {"eval": _asvspoof2021("PA")},
    "asvspoof2021_df": {"eval": _asvspoof2021("DF")},
    "asvspoof5": {
        "train": _asvspoof5("train", "flac_T"),
        "dev": _asvspoof5("dev", "flac_D"),
        "eval": _asvspoof5("eval", "flac_E_eval"),
    },
    "partialspoof": {part: _partialspoof(part) for part in PARTS},
}


def layout_of(corpus: str, part: str) -> Layout:
    """Look up a part of a corpus.

    Raises:
        AsdkitError: the corpus has no such part.
    """
    parts = LAYOUTS[corpus]
    if part not in parts:
        known = ", ".join(parts)
        raise AsdkitError(f"--part {part}: {corpus} has no such part, only {known}")
    return parts[part]


def find(root: PathName, name: str) -> Path | None:
    """Look for a file or folder in a root and in the folders of it.

    So the root may be the folder of a whole challenge, with ``LA/``, ``keys/`` or
    ``ASVspoof5_protocols/`` in it.
    """
    if (Path(root) / name).exists():
        return Path(root) / name
    return next(iter(sorted(Path(root).glob(f"*/{name}"))), None)


def require(root: PathName, name: str) -> Path:
    """Find a required file or folder.

    Raises:
        DataError: it is not.
    """
    found = find(root, name)
    if found is None:
        raise DataError(
            root,
            f"expected {name} in it, or in a folder of it",
            hint="give the folder that this corpus, and this part, was unpacked in",
        )
    return found
