"""Export data directories that Kaldi's validate_data_dir.sh accepts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.data.derived import check_derived
from asdkit.data.directory import (
    Ids,
    first_word,
    ids_of,
    kind_of,
    read_carried,
    require_another,
    restrict,
)
from asdkit.data.manifest_tables import DERIVED, derive_tables
from asdkit.data.manifests import (
    SUPERVISIONS,
    Manifests,
    read_manifests,
    write_tables,
)
from asdkit.data.staging import stage
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)


def export_directory(
    data_dir: PathName, kaldi_dir: PathName, prefix_speaker: bool = False
) -> None:
    """Write the Kaldi tables of a data directory into another directory.

    Optional tables that do not speak of every utterance or speaker are left out,
    because Kaldi rejects them; paths are written as they are.

    Args:
        data_dir: a directory with manifests.
        kaldi_dir: directory to write, atomically.
        prefix_speaker: rename utterances to ``<spk>-<utt>`` where they do not start
            with ``<spk>-``, so that they sort by speaker, as Kaldi requires.

    Raises:
        DataError: features or VAD decisions are missing for some utterances, two
            utterances would get one name, or both directories are the same.
    """
    require_another(kaldi_dir, data_dir)
    check_derived(data_dir)
    manifests = read_manifests(data_dir)
    ids = ids_of(manifests)
    if not ids.utts:
        raise DataError(Path(data_dir) / SUPERVISIONS, "expected utterances, got none")
    logger.info("data-export: %s: %d utterances", data_dir, len(ids.utts))
    tables = {**derive_tables(*manifests), **read_carried(data_dir)}
    recos = frozenset(map(first_word, tables.get("wav.scp", [])))
    ids = ids._replace(recos=recos)
    tables = _complete(Path(data_dir), restrict(tables, ids, ids), ids)
    if prefix_speaker:
        tables = _rename(tables, _prefixed(Path(data_dir), manifests))
    with stage(kaldi_dir, replaces=DERIVED) as staged:
        write_tables(staged, {name: x for name, x in tables.items() if x})
    _warn_about_order(tables["utt2spk"])
    logger.info("data-export: %d utterances: %s", len(ids.utts), " ".join(tables))


def _complete(
    data_dir: Path, tables: Mapping[str, list[str]], ids: Ids
) -> dict[str, list[str]]:
    """Keep the tables that cover every id, sorted as Kaldi wants them."""
    kept = {}
    wanted = {"utt": ids.utts, "spk": ids.spks, "reco": ids.recos}
    for name, lines in tables.items():
        keys = wanted.get(kind_of(name) or "", frozenset())
        missing = keys - {*map(first_word, lines)}
        if missing and name in ("feats.scp", "vad.scp"):
            raise DataError(
                data_dir / name,
                f"{len(missing)} of {len(keys)} utterances are missing, e.g. "
                f"{min(missing)!r}",
                hint=f"asdkit data-validate --fix true {data_dir} leaves them out",
            )
        if missing:
            logger.warning(
                "data-export: %s is left out: %d of %d are missing, e.g. %r",
                data_dir / name,
                len(missing),
                len(keys),
                min(missing),
            )
            continue
        kept[name] = sorted(lines, key=first_word) if keys else lines
    return kept


def _prefixed(data_dir: Path, manifests: Manifests) -> dict[str, str]:
    """Map every utterance to ``<spk>-<utt>``."""
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for utt, item in manifests.supervisions.items():
        prefix = f"{item.speaker or utt}-"
        names[utt] = utt if utt.startswith(prefix) else prefix + utt
        other = owners.setdefault(names[utt], utt)
        if other != utt:
            raise DataError(
                data_dir / SUPERVISIONS,
                f"{other!r} and {utt!r} would both be called {names[utt]!r}",
                hint="rename one of them, or leave --prefix-speaker false",
            )
    return names


def _rename(
    tables: Mapping[str, list[str]], names: Mapping[str, str]
) -> dict[str, list[str]]:
    """Rename utterances wherever a table speaks of them."""
    renamed = {}
    for name, lines in tables.items():
        kind = "models" if name == "spk2utt" else kind_of(name)
        if kind == "reco" and "segments" not in tables:
            kind = "utt"  # every recording is an utterance
        if kind == "utt":
            renamed[name] = sorted(_rename_words(lines, names, 0, 1), key=first_word)
        elif kind == "trials":
            renamed[name] = _rename_words(lines, names, 0, 2)
        elif kind == "models":
            renamed[name] = _rename_words(lines, names, 1, None)
        else:
            renamed[name] = lines
    if "spk2utt" in renamed:  # sorted by the new names
        renamed["spk2utt"] = [
            " ".join([spk, *sorted(utts)])
            for spk, *utts in map(str.split, renamed["spk2utt"])
        ]
    return renamed


def _rename_words(
    lines: Iterable[str], names: Mapping[str, str], first: int, last: int | None
) -> list[str]:
    """Replace the words from ``first`` up to, not including, ``last`` of every line."""
    renamed = []
    for line in lines:
        words = line.split(" ")
        words[first:last] = [names.get(word, word) for word in words[first:last]]
        renamed.append(" ".join(words))
    return renamed


def _warn_about_order(utt2spk: Iterable[str]) -> None:
    """Warn where Kaldi will reject the order of speakers."""
    spks = (line.partition(" ")[2] for line in utt2spk)
    for before, after in pairwise(spks):
        if before > after:
            logger.warning(
                "data-export: sorted by utterance, speaker %r comes before %r; give "
                "--no-spk-sort to Kaldi's validate_data_dir.sh, or --prefix-speaker "
                "true here",
                before,
                after,
            )
            return
