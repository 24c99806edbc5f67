"""Tables that are derived from a data directory's audio or utterances.

New contents leave older tables behind: new audio leaves features and VAD decisions, new
utterances leave trials.  They are not removed, since they may have been made by hand;
but readers refuse tables that are known to belong to something else.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from asdkit.base.distributed import is_main
from asdkit.io.origins import (
    OF_AUDIO,
    OF_UTTERANCES,
    Origin,
    check_origin,
    describe,
    differ,
    forget,
    note_origins,
    read_origin,
    same_content,
    tell_unknown,
)
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

FROM_AUDIO = ("feats.scp", "vad.scp")


def is_trials(name: str) -> bool:
    """Tell whether a table lists pairs of utterances."""
    return name.startswith(("trials", "asv_trials", "asv_scores"))


def check_derived(
    data_dir: PathName,
    names: Collection[str] | None = None,
    without: Collection[str] = (),
) -> dict[str, Origin]:
    """Compare tables of a data directory with their recorded origins.

    Rank 0 does, for all.  Features and VAD decisions of unknown origin are warned of
    once.

    Args:
        data_dir: with manifests or without.
        names: tables to check, if present; None for all.
        without: tables to ignore.

    Returns:
        table -> what it was derived from, as far as that is known; only on rank 0.

    Raises:
        DataError: a table is of something else than what is there now.
    """
    if not is_main():
        return {}
    directory = Path(data_dir)
    names = list_derived(directory) if names is None else names
    wanted = (name for name in names if name not in without)
    there = [name for name in wanted if (directory / name).exists()]
    known = {}
    for name in there:
        if (origin := check_origin(directory / name)) is not None:
            known[name] = origin
    tell_unknown(data_dir, [x for x in there if x not in known and x in FROM_AUDIO])
    return known


def origin_of_features(data_dir: PathName) -> Origin | None:
    """Describe the origin of tables derived from feats.scp; None if unknown."""
    known = check_derived(data_dir, ["feats.scp"])
    if "feats.scp" not in known:
        return None
    return Origin(str(data_dir), known["feats.scp"].of, {})


def origin_of_audio(data_dir: PathName) -> Origin:
    """Describe the origin of tables derived from the audio of a data directory."""
    of = describe(data_dir, OF_AUDIO) if is_main() else {}
    return Origin(str(data_dir), of, {})


def origin_of_utterances(data_dir: PathName) -> Origin:
    """Describe the origin of tables derived from utterances and speakers."""
    return Origin(str(data_dir), describe(data_dir, OF_UTTERANCES), {})


def join_origins(
    parts: Sequence[Mapping[str, Origin]], sources: Sequence[PathName]
) -> dict[str, Origin]:
    """Combine the known origins of tables that are joined from several.

    Args:
        parts: known origins in each of the sources.
        sources: data directories; one may lack a table.
    """
    joined = {}
    for name in set().union(*parts):
        origins = [part[name] for part in parts if name in part]
        if len(origins) == sum((Path(x) / name).exists() for x in sources):
            archives = {k: v for x in origins for k, v in x.archives.items()}
            joined[name] = origins[0]._replace(archives=archives)
    return joined


def renew_origins(
    directory: PathName,
    staged: PathName,
    known: Mapping[str, Origin],
    replaces: bool = False,
) -> None:
    """Record the audio that tables belong to when a directory gets new manifests.

    Args:
        directory: directory of the present tables and manifests.
        staged: directory of the new ones for now; gets the new record, too.
        known: new tables known to belong to the audio, or utterances, of the new
            manifests.
        replaces: left-over features and VAD decisions of unknown origin belong to the
            old manifests.
    """
    directory, staged = Path(directory), Path(staged)
    written = list_derived(staged)
    left = [name for name in list_derived(directory) if name not in written]
    if not written and not left:
        return
    noted: dict[str, Origin | None] = {}
    for name in written:
        noted[name] = None
        if name in known:
            of = describe(staged, known[name].of)
            noted[name] = known[name]._replace(data=str(directory), of=of)
        elif (directory / name).exists() and same_content(directory, staged, name):
            noted[name] = read_origin(directory / name)
    stale = []
    for name in left:
        origin = read_origin(directory / name)
        aspects = OF_UTTERANCES if is_trials(name) else OF_AUDIO[:1]
        new = describe(staged, aspects)
        old = describe(directory, aspects) if origin is None else origin.of
        if all(old.get(aspect) == new[aspect] for aspect in new):
            continue
        if origin is None and name in FROM_AUDIO:
            if not (replaces and old):
                continue
            noted[name] = Origin(str(directory), old, {})
        stale.append(name)
    note_origins(directory, noted, staged)
    forget(directory)
    forget(staged)
    if stale:
        logger.warning(
            "origins: %s: %s made from other audio or utterances than are "
            "there now: recreate it",
            directory,
            " and ".join(stale) + (" was" if len(stale) == 1 else " were"),
        )


@contextlib.contextmanager
def keep_origins(data_dir: PathName) -> Iterator[None]:
    """Keep the known origins of tables while they are repaired.

    What was of the audio, or utterances, stays so; what was of others stays stale.
    """
    directory = Path(data_dir)
    before: dict[str, tuple[Origin, bool]] = {}
    for name in list_derived(directory):
        if (origin := read_origin(directory / name)) is not None:
            now = describe(directory, origin.of)
            before[name] = origin, not differ(origin.of, now, data_dir)
    yield
    forget(directory)
    after: dict[str, Origin | None] = {
        name: origin._replace(of=describe(directory, origin.of)) if is_of_it else origin
        for name, (origin, is_of_it) in before.items()
        if (directory / name).exists()
    }
    note_origins(directory, after)


def list_derived(directory: Path) -> list[str]:
    """Name the derived tables of a directory."""
    if not directory.is_dir():
        return []
    names = sorted(path.name for path in directory.iterdir())
    return [name for name in names if name in FROM_AUDIO or is_trials(name)]
