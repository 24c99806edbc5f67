"""Where the file of an id lies: below its directory, and no other id has it."""

import os

import pytest

from asdkit.base.errors import DataError
from asdkit.base.names import find_id_problem, place_files
from asdkit.io.files import write_atomic

LEGAL = ["a", "id10270/x6uYqmx31kE/00001", "..a", "a..b", "a/..b/c...", "é-1", "-x"]
NEVER = ["..", "../a", "a/../b", "a/..", "/../a", "a\0b", "a\nb", "a\x1b[2J", "\ud800"]
NO_FILE = ["", ".", "/", "/a", "a/", "a//b", "./a", "a/./b", "x" * 256, "é" * 128]


@pytest.mark.parametrize("name", LEGAL)
def test_an_id_may_hold_slashes_and_dots(name, tmp_path):
    assert find_id_problem(name) is None
    (path,) = place_files(tmp_path, {"u": ["s", name]}, ".flac", "ids").values()
    assert path == f"{tmp_path}/s/{name}.flac"
    with write_atomic(path) as stream:
        stream.write("x")
    inside = os.path.realpath(path)
    assert inside == path
    assert inside.startswith(f"{tmp_path}/")


@pytest.mark.parametrize("name", NEVER)
def test_an_id_that_leads_elsewhere_is_refused_everywhere(name):
    assert "expected an id" in find_id_problem(name)
    for parts in (["s", name], [name, "u"]):
        with pytest.raises(DataError, match="ids: expected an id"):
            place_files("dir", {"u": parts}, ".flac", "ids")


@pytest.mark.parametrize("name", NO_FILE)
def test_an_id_that_names_no_file_is_refused_where_it_would(name):
    assert find_id_problem(name) is None
    for parts in (["s", name], [name, "u"]):
        with pytest.raises(DataError, match="ids: expected an id"):
            place_files("dir", {"u": parts}, ".flac", "ids")


@pytest.mark.parametrize("name", ["x" * 250, "é" * 125])
def test_the_longest_name_can_be_written(name, tmp_path):
    with pytest.raises(DataError, match="at most 255 bytes"):
        place_files(tmp_path, {"u": [f"{name}x"]}, ".flac", "ids")
    (path,) = place_files(tmp_path, {"u": [name]}, ".flac", "ids").values()
    with write_atomic(path) as stream:
        stream.write("x")
    assert [item.name for item in tmp_path.iterdir()] == [f"{name}.flac"]


def test_two_ids_do_not_share_a_file(tmp_path, monkeypatch):
    names = {"b/c": ["a", "b/c"], "c": ["a/b", "c"]}
    with pytest.raises(DataError, match="'b/c' and 'c' would both be written to"):
        place_files(tmp_path, names, ".flac", "ids")
    names = {"A": ["s", "A"], "a": ["s", "a"]}
    assert len(place_files(tmp_path / "new", names, ".flac", "ids")) == 2
    monkeypatch.setattr("asdkit.base.names._ignores_case", lambda directory: True)
    with pytest.raises(DataError, match="'A' and 'a' would both be written to"):
        place_files(tmp_path, names, ".flac", "ids")
