"""Repair data directories: sort, remove duplicates, drop incomplete utterances.

Nothing is lost: originals are kept in ``.backup/``.  Whatever needs a decision is left
alone: contradictions, trials, missing audio (a disk may be unmounted).
"""

from __future__ import annotations

import itertools
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.base.inputs import renewing
from asdkit.data.derived import keep_origins
from asdkit.data.directory import Ids, first_word, kind_of, restrict, table_names
from asdkit.data.manifest_tables import DERIVED, derive_tables
from asdkit.data.manifests import (
    RECORDINGS,
    SUPERVISIONS,
    read_manifests,
    write_manifests,
    write_tables,
)
from asdkit.data.problems import Report, read_text_lines
from asdkit.data.staging import stage
from asdkit.data.subset import part_of
from asdkit.io.ark import load_shape
from asdkit.io.tables import PathName, invert

logger = logging.getLogger(__name__)
BACKUP = ".backup"
Tables = dict[str, list[str]]


def repair(data_dir: PathName) -> None:
    """Repair everything that needs no decision.

    Lines are sorted; blank, empty and repeated ones go, and so do those about ids
    that utt2spk (or the manifests) does not have.  An utterance without audio,
    features or VAD decisions, where others have them, goes from all tables.  spk2utt,
    utt2num_frames and, where there are manifests, all that they imply are made again.

    Raises:
        DataError: there is no such directory, a manifest is damaged, or more
            utterances would go than stay.
    """
    directory = Path(data_dir)
    names = table_names(directory)
    old = {name: read_text_lines(directory / name, Report()) for name in names}
    tables = {name: _tidy(name, lines) for name, lines in old.items()}
    manifests = None
    if (directory / SUPERVISIONS).exists():
        manifests = read_manifests(directory, compare=False)
        if not manifests.supervisions:
            problem = "expected utterances, got none; nothing has been changed"
            raise DataError(directory / SUPERVISIONS, problem)
        carried = {name: x for name, x in tables.items() if name not in DERIVED}
        tables = {**carried, **derive_tables(*manifests)}
    elif "utt2spk" not in tables:
        tables["utt2spk"] = _turn_around(directory, tables)
    before = _ids(tables)
    after = _complete_ids(directory, tables, before)
    tables = _make_again(restrict(tables, before, after))
    changed = {
        name
        for name in {*old, *tables}
        if _bytes(tables.get(name)) != _read_bytes(directory / name)
    }
    if manifests and after.utts != before.utts:
        changed |= {RECORDINGS, SUPERVISIONS}
    if not changed:
        return
    _back_up(directory, changed)
    if manifests:
        left = part_of(manifests, after.utts)
        carried = {name: x for name, x in tables.items() if name not in DERIVED}
        recordings, supervisions = left.recordings.values(), left.supervisions.values()
        with renewing(), keep_origins(directory):
            write_manifests(directory, recordings, supervisions, carried)
    else:
        with stage(directory) as staged:
            write_tables(staged, {x: tables[x] for x in changed & tables.keys()})
    for name in changed - tables.keys() - {RECORDINGS, SUPERVISIONS}:
        (directory / name).unlink(missing_ok=True)
    dropped = sorted(before.utts - after.utts)
    logger.info(
        "data-validate: %s: repaired %s (originals: %s); %d of %d utterances went: %s",
        directory,
        " ".join(sorted(changed)),
        directory / BACKUP,
        len(dropped),
        len(before.utts),
        " ".join(dropped[:5]) + (" ..." if len(dropped) > 5 else ""),
    )


def _tidy(name: str, lines: Iterable[str]) -> list[str]:
    """Drop blank, empty and repeated lines; sort what is sorted by key."""
    least = 1 if name == "text" else 2
    stripped = (line.strip() for line in lines)
    if kind_of(name) in ("trials", "whole"):
        return list(dict.fromkeys(line for line in stripped if line))
    kept = (line for line in stripped if len(line.split(maxsplit=1)) >= least)
    return sorted(dict.fromkeys(kept), key=first_word)


def _turn_around(directory: Path, tables: Tables) -> list[str]:
    """Make utt2spk out of spk2utt."""
    if "spk2utt" not in tables:
        raise DataError(directory, "expected utt2spk or spk2utt, got neither")
    words = (line.split() for line in tables["spk2utt"])
    return sorted(f"{utt} {spk}" for spk, *utts in words for utt in utts)


def _ids(tables: Tables) -> Ids:
    """Collect the ids that utt2spk and wav.scp have."""
    utt2spk = dict(line.split(maxsplit=1) for line in tables["utt2spk"])
    recos = map(first_word, tables.get("wav.scp", []))
    return Ids(frozenset(utt2spk), frozenset(utt2spk.values()), frozenset(recos))


def _complete_ids(directory: Path, tables: Tables, ids: Ids) -> Ids:
    """Keep the utterances that have all they need, their speakers and recordings."""
    utts, recos = ids.utts, ids.recos
    if "segments" in tables:
        reco_of = {x.split()[0]: x.split()[1] for x in tables["segments"]}
        utts = frozenset(utt for utt in utts if reco_of.get(utt) in recos)
        recos = frozenset(reco_of[utt] for utt in utts)
    elif "wav.scp" in tables:
        utts = utts & recos
    for name in ("feats.scp", "vad.scp"):
        if name in tables:
            utts = utts & {*map(first_word, tables[name])}
    if "segments" not in tables:
        recos = utts
    if 2 * len(utts) < len(ids.utts):
        raise DataError(
            directory,
            f"only {len(utts)} of {len(ids.utts)} utterances are in all tables; "
            "nothing has been changed",
            hint="look for a table of another directory; delete it, or make it again",
        )
    pairs = (line.split(maxsplit=1) for line in tables["utt2spk"])
    return Ids(utts, frozenset(spk for utt, spk in pairs if utt in utts), recos)


def _make_again(tables: Tables) -> Tables:
    """Recreate spk2utt and utt2num_frames; drop an incomplete utt2dur."""
    utt2spk = dict(line.split(maxsplit=1) for line in tables["utt2spk"])
    tables["spk2utt"] = [" ".join([k, *utts]) for k, utts in invert(utt2spk).items()]
    for name in ("utt2num_frames", "utt2dur"):
        if name not in tables:
            continue
        if name == "utt2num_frames" and "feats.scp" in tables:
            tables[name] = _count_frames(tables[name], tables["feats.scp"])
        if len(tables[name]) < len(utt2spk):
            del tables[name]
    return tables


def _count_frames(lines: Iterable[str], feats: Iterable[str]) -> list[str]:
    """Look up the number of frames; where that fails, keep the recorded one."""
    frames = dict(line.split(maxsplit=1) for line in lines)
    for utt, location in (line.split(maxsplit=1) for line in feats):
        try:
            frames[utt] = str(load_shape(utt, location)[0])
        except DataError:
            logger.debug("data-validate: no features for %r", utt)
    return [f"{utt} {frames[utt]}" for utt in sorted(frames)]


def _bytes(lines: Iterable[str] | None) -> bytes | None:
    """What a table is on disk; None if it is not there."""
    if lines is None:
        return None
    text = "".join(f"{line}\n" for line in lines)
    return text.encode(errors="surrogateescape")


def _read_bytes(path: Path) -> bytes | None:
    """What is on disk now; None if it is not there."""
    return path.read_bytes() if path.exists() else None


def _back_up(directory: Path, names: Iterable[str]) -> None:
    """Copy files into the backup, beside what older repairs left there."""
    (directory / BACKUP).mkdir(exist_ok=True)
    for name in names:
        if (directory / name).exists():
            copy = directory / BACKUP / name
            numbered = (copy.with_name(f"{name}.{n}") for n in itertools.count(1))
            free = next(x for x in itertools.chain([copy], numbered) if not x.exists())
            shutil.copy2(directory / name, free)
