"""Enrolled speakers: kept apart, of one model, forgotten on request."""

import sqlite3
import stat

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.inference import profiles
from asdkit.inference.profiles import Profiles


@pytest.fixture
def store(tmp_path):
    return Profiles(tmp_path / "people.sqlite", "model 1")


def test_enrollments_of_a_person_are_kept_apart(store, rng):
    x = rng.normal(size=(3, 8)).astype(np.float32)
    store.add_all("ann", [("/home/ann/1.wav", 2.5, x[0]), ("2.wav", 3.0, x[1])])
    store.add("bob", "3.wav", 1.0, x[2])
    found = store.read()
    assert [(p.name, p.source) for p in found] == [
        ("ann", "1.wav"),
        ("ann", "2.wav"),
        ("bob", "3.wav"),
    ]
    np.testing.assert_array_equal([p.embedding for p in found], x)


@pytest.mark.parametrize("bad", [np.zeros(4), np.full(4, np.nan), np.full(4, np.inf)])
def test_no_zero_or_nan_is_enrolled_nor_what_came_with_it(store, bad):
    good = np.ones(4, np.float32)
    with pytest.raises(DataError, match="zero or not finite"):
        store.add_all("ann", [("1.wav", 1.0, good), ("2.wav", 1.0, bad)])
    assert not store.path.exists()


def test_a_person_is_forgotten_to_the_last_byte(store, rng):
    x = rng.normal(size=64).astype(np.float32)
    store.add("zebedee", "z.wav", 1.0, x)
    store.add("bob", "b.wav", 1.0, -x)
    assert x.tobytes() in store.path.read_bytes()
    assert store.remove("zebedee") == 1
    content = store.path.read_bytes()
    assert b"zebedee" not in content
    assert x.tobytes() not in content
    assert [p.name for p in store.read()] == ["bob"]
    with pytest.raises(DataError, match="nobody is enrolled as 'zebedee'"):
        store.remove("zebedee")


def test_embeddings_of_another_model_are_not_compared(store, rng):
    store.add("ann", "a.wav", 1.0, rng.normal(size=4).astype(np.float32))
    with pytest.raises(DataError, match="its 1 enrollments are of another model"):
        Profiles(store.path, "model 2").read()


def test_files_of_another_kind_are_refused(store, tmp_path):
    with pytest.raises(DataError, match="no such file of profiles"):
        store.read()
    store.path.write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match="not a file of profiles"):
        store.read()
    with pytest.raises(DataError, match="expected a name, got ' '"):
        store.add(" ", "a.wav", 1.0, np.ones(4, np.float32))


ONE = np.ones(4, np.float32)


def test_the_database_of_another_program_is_left_as_it_is(store):
    with sqlite3.connect(store.path) as base:
        base.execute("create table bookmarks (address text)")
    before = store.path.read_bytes()
    for use in (
        store.read,
        lambda: store.remove("ann"),
        lambda: store.add("ann", "a.wav", 1.0, ONE),
    ):
        with pytest.raises(DataError, match="not a file of profiles"):
            use()
    assert store.path.read_bytes() == before


def test_only_its_owner_can_read_a_new_file(store):
    store.add("ann", "a.wav", 1.0, ONE)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_file_in_use_is_said_to_be(store, monkeypatch):
    monkeypatch.setattr(profiles, "WAIT_SEC", 0.05)
    store.add("ann", "a.wav", 1.0, ONE)
    other = sqlite3.connect(store.path)
    other.execute("begin exclusive")
    for use in (store.read, lambda: store.add("bob", "b.wav", 1.0, ONE)):
        with pytest.raises(DataError, match="cannot use it: database is locked") as it:
            use()
        assert it.value.hint == "another program writes to it"
    other.close()
    assert [p.name for p in store.read()] == ["ann"]


@pytest.mark.parametrize("name", ["ann\nbob", "ann\x1b[2J", "\udcff", ""])
def test_names_that_a_line_cannot_show_are_refused(store, name):
    with pytest.raises(DataError, match="expected a name"):
        store.add(name, "a.wav", 1.0, ONE)
    store.add("Zo\u00eb M\u00fcller", "\udcff.wav", 1.0, ONE)
    assert store.read()[0].name == "Zo\u00eb M\u00fcller"


@pytest.mark.parametrize(
    "change",
    ["embedding = 'text'", "embedding = x'00'", "embedding = x''", "speech_sec = 'x'"],
)
def test_a_row_of_other_types_is_damage(store, change):
    store.add("ann", "a.wav", 1.0, ONE)
    with sqlite3.connect(store.path) as base:
        base.execute(f"update enrollment set {change}")
    with pytest.raises(DataError, match="damaged: an embedding of 'ann'"):
        store.read()


def test_who_is_enrolled_is_known_with_any_model(store, rng):
    assert store.is_new
    assert not store.knows("ann")
    store.add("ann", "1.wav", 1.0, rng.normal(size=4).astype(np.float32))
    assert not store.is_new
    assert store.knows("ann")
    assert Profiles(store.path, "model 2").knows("ann")
    assert not store.knows("bob")
    store.path.write_bytes(b"")  # another thread is just making it
    assert store.is_new
