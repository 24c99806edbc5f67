"""What is read is never replaced, however its path is spelled."""

import os
from pathlib import Path

import pytest

from asdkit.base.errors import DataError
from asdkit.base.inputs import (
    note_input,
    note_inputs,
    refuse_input,
    refuse_overwriting,
    renewing,
    watching,
)
from asdkit.data.staging import stage
from asdkit.io.files import write_atomic


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dir").mkdir()
    Path("dir/a.flac").write_text("audio")
    Path("link").symlink_to("dir")
    Path("soft.flac").symlink_to("dir/a.flac")
    os.link("dir/a.flac", "hard.flac")
    return Path("dir/a.flac")


SPELLINGS = [
    "dir/a.flac",
    "./dir//a.flac",
    "dir/../dir/a.flac",
    "link/a.flac",
    "soft.flac",
    "hard.flac",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_file_that_is_read_is_not_replaced_by_any_path(source, spelling):
    with watching():
        note_input(source.absolute())
        for write in (lambda: write_atomic(spelling), lambda: write_atomic(spelling)):
            with pytest.raises(DataError, match=r"this is read.*would be replaced"):
                write().__enter__()
    with pytest.raises(DataError, match="would be replaced"):
        refuse_overwriting(["new.flac", spelling], ["other.flac", str(source)])
    assert source.read_text() == "audio"


def test_a_file_that_is_read_while_it_is_written_is_not_replaced(source):
    def write():
        with write_atomic(source) as stream:
            note_input(source)
            stream.write("scores")

    with watching(), pytest.raises(DataError, match="would be replaced"):
        write()
    assert source.read_text() == "audio"
    assert not list(Path("dir").glob(".*"))


def test_what_is_new_or_was_not_read_is_written(source):
    with watching():
        note_inputs(lambda: [source, "lost.flac"])
        Path("other").write_text("of an earlier run")
        for name in ("other", "lost.flac", "new"):
            with write_atomic(name) as stream:
                stream.write("x")
        Path("gone.flac").write_text("x")
        note_input("gone.flac")
        refuse_input("other")  # what has been noted is looked up
        os.remove("gone.flac")
        for n in range(3):  # the disk may give its number to another
            Path(f"{n}.flac").write_text("x")
            refuse_input(f"{n}.flac")
    with write_atomic("other") as stream:  # no program
        stream.write("y")


def test_a_whole_directory_renews_its_tables_but_nothing_else():
    Path("data").mkdir()
    for name in ("trials", "model"):
        Path("data", name).write_text("old")

    def renew(name):
        with stage("data") as staged:
            (staged / name).write_text("new")

    with watching():
        note_input("data/trials", renewable=True)
        note_input("data/model")
        renew("trials")
        with pytest.raises(DataError, match="data/model: this is read"):
            renew("model")
        with renewing():
            renew("model")
    assert Path("data/trials").read_text() == Path("data/model").read_text() == "new"
    assert len(list(Path("data").iterdir())) == 2


def test_a_table_that_is_read_is_not_replaced_by_something_else():
    Path("trials").write_text("a b target\n")
    with watching():
        note_input("trials", renewable=True)
        with pytest.raises(DataError, match="trials: this is read"):
            write_atomic("trials").__enter__()
        note_input("trials")  # as something else, too
        with pytest.raises(DataError, match="trials: this is read"):
            refuse_input("trials", renews=True)
