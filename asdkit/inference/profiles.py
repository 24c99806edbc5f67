"""Enrolled speakers in one SQLite file: embeddings and names, no audio.

Embeddings of voices are biometric data.  Every recording of a person is kept apart, so
that each can be compared, and removed, by itself.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName

TABLE = """
create table if not exists enrollment (
    name text not null, model text not null, source text not null,
    speech_sec real not null, added text not null, embedding blob not null
)
"""
COLUMNS = {"name", "model", "source", "speech_sec", "added", "embedding"}
FOREIGN = "not a file of profiles"
WAIT_SEC = 10.0  # for another program that writes


class Enrollment(NamedTuple):
    """One recording of one person.

    Attributes:
        name: the person.
        source: name of the sound file, without its folder.
        speech_sec: seconds of speech in it.
        added: date and time, UTC.
        embedding: (E,) float32.
    """

    name: str
    source: str
    speech_sec: float
    added: str
    embedding: np.ndarray


class Profiles:
    """The enrolled speakers of one model.

    Args:
        path: the file; made when somebody is enrolled.
        model: checksum of the network, so that no embedding meets another network's.

    Raises:
        DataError: the file is none of this kind.
    """

    def __init__(self, path: PathName, model: str) -> None:
        self.path = Path(path)
        self.model = model

    def add(
        self, name: str, source: str, speech_sec: float, embedding: np.ndarray
    ) -> None:
        """Enroll one recording, an (E,) embedding; see `add_all`."""
        self.add_all(name, [(source, speech_sec, embedding)])

    def add_all(self, name: str, items: list[tuple[str, float, np.ndarray]]) -> None:
        """Enroll recordings of one person, all or none.

        Args:
            name: the person.
            items: source, seconds of speech, and (E,) embedding of each.

        Raises:
            DataError: the name is empty or has control characters, an embedding is
                zero or not finite, or the file is none of this kind or in use.
        """
        if not name.strip() or not name.isprintable():
            raise DataError(self.path, f"expected a name, got {name!r}")
        for source, _, embedding in items:
            if not np.isfinite(embedding).all() or not embedding.any():
                raise DataError(source, "its embedding is zero or not finite")
        now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017 (Python 3.10)
        added = now.isoformat(timespec="seconds")
        rows = [
            (name, self.model, _file_name(source), sec, added, _as_blob(x))
            for source, sec, x in items
        ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():  # biometric data are for their owner's eyes
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        with self._open(is_new=self.path.stat().st_size == 0) as base:
            base.executemany("insert into enrollment values (?, ?, ?, ?, ?, ?)", rows)

    def read(self) -> list[Enrollment]:
        """Return the enrollments of this model, by name and time.

        Raises:
            DataError: the file is missing or damaged, or it has those of another model
                only.
        """
        if not self.path.exists():
            hint = "asdkit enroll makes it"
            raise DataError(self.path, "no such file of profiles", hint=hint)
        query = "select name, source, speech_sec, added, embedding from enrollment "
        query += "where model = ? order by name, added, rowid"
        with self._open() as base:
            rows = base.execute(query, (self.model,)).fetchall()
            num_all = base.execute("select count(*) from enrollment").fetchone()[0]
        if num_all and not rows:
            problem = f"its {num_all} enrollments are of another model"
            hint = "enroll the speakers again: embeddings of two models do not compare"
            raise DataError(self.path, problem, hint=hint)
        found = []
        for name, source, sec, added, blob in rows:
            try:  # SQLite keeps a value of any type in any column
                x = np.frombuffer(blob, dtype="<f4")
                row = Enrollment(str(name), str(source), float(sec), str(added), x)
            except (TypeError, ValueError):
                row = None
            if row is None or not np.isfinite(x).all() or not x.any():
                raise DataError(self.path, f"damaged: an embedding of {name!r}")
            found.append(row)
        return found

    @property
    def is_new(self) -> bool:
        """Whether there is no file yet, or another thread is just making it."""
        return not self.path.exists() or self.path.stat().st_size == 0

    def knows(self, name: str) -> bool:
        """Tell whether somebody is enrolled, with a network of any model."""
        if self.is_new:
            return False
        with self._open() as base:
            query = "select count(*) from enrollment where name = ?"
            return bool(base.execute(query, (name,)).fetchone()[0])

    def remove(self, name: str) -> int:
        """Forget a person: overwrite and count the enrollments of all models.

        Raises:
            DataError: there is no such person.
        """
        if not self.path.exists():
            raise DataError(self.path, "no such file of profiles")
        with self._open() as base:
            base.execute("pragma secure_delete = on")
            done = base.execute("delete from enrollment where name = ?", (name,))
            count = done.rowcount
        if not count:
            raise DataError(self.path, f"nobody is enrolled as {name!r}")
        with self._open() as base:
            base.execute("vacuum")
        return count

    @contextlib.contextmanager
    def _open(self, is_new: bool = False) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction; only an empty one is given its table."""
        try:
            where = f"{self.path.absolute().as_uri()}?mode=rw"  # it is not created
            connection = sqlite3.connect(where, timeout=WAIT_SEC, uri=True)
            with contextlib.closing(connection) as base, base:
                if is_new:
                    base.execute(TABLE)
                found = base.execute("pragma table_info(enrollment)").fetchall()
                if {row[1] for row in found} != COLUMNS:
                    raise DataError(self.path, FOREIGN)
                yield base
        except sqlite3.OperationalError as error:
            hint = "another program writes to it" if "locked" in str(error) else None
            raise DataError(self.path, f"cannot use it: {error}", hint=hint) from None
        except sqlite3.Error as error:
            raise DataError(self.path, f"{FOREIGN}: {error}") from None


def _file_name(source: str) -> str:
    """Name of a file without its folder, as text that SQLite takes."""
    return os.fsencode(Path(source).name).decode(errors="replace")


def _as_blob(embedding: np.ndarray) -> bytes:
    """(E,) -> its float32 numbers."""
    return embedding.astype("<f4").tobytes()
