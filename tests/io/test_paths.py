import os

import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import load_array, load_shape, read_arrays
from asdkit.io.audio import read_audio
from asdkit.io.paths import relative_hint, require_file


def test_a_path_that_is_absolute_or_there_needs_no_hint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").touch()
    assert relative_hint("a") is None
    assert relative_hint(tmp_path / "none") is None


def test_the_folder_above_in_which_a_path_holds_is_named(tmp_path, monkeypatch):
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "feats.ark").touch()
    (tmp_path / "data" / "train").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "data" / "train")
    found = relative_hint("exp/feats.ark")
    assert found.endswith(f"looked for from {tmp_path}/data/train; run from {tmp_path}")
    assert relative_hint("exp/none.ark").endswith("the folder that it starts from")


@pytest.mark.parametrize(
    "read",
    [
        lambda: load_array("utt", "exp/feats.ark:9"),
        lambda: load_shape("utt", "exp/feats.ark:9"),
        lambda: list(read_arrays("ark:exp/feats.ark")),
        lambda: read_audio("exp/feats.ark"),
    ],
)
def test_what_is_missing_only_from_here_need_not_be_made_again(
    read, tmp_path, monkeypatch
):
    """Programs that ran in another folder were told that the archive was damaged."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no such file") as caught:
        read()
    assert f"relative and was looked for from {tmp_path}" in caught.value.hint


def test_an_archive_that_is_cut_short_is_to_be_made_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feats.ark").write_bytes(b"utt ")
    with pytest.raises(DataError) as caught:
        load_array("utt", "feats.ark:4")
    assert "make it again" in caught.value.hint


def test_only_what_is_there_and_no_file_is_refused(tmp_path):
    """A program that opens a named pipe waits for ever."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "link", "none"):
        require_file(tmp_path / name)
    for name in ("pipe", "."):
        with pytest.raises(DataError, match="expected a file, got something else"):
            require_file(str(tmp_path / name))
