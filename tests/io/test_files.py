import errno
import io
import os

import pytest
import torch

from asdkit.io.files import write_atomic
from asdkit.io.tensors import save_tensors


def test_a_file_appears_only_when_complete(tmp_path):
    path = tmp_path / "new" / "table"
    with write_atomic(path) as stream:
        stream.write("a 1\n")
        assert not path.exists()
    assert path.read_text() == "a 1\n"


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")]
)
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "table"
    path.write_text("old")

    def fail():
        with write_atomic(path) as stream:
            stream.write("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_names_the_file_and_leaves_no_new_directory(tmp_path):
    """A failing write does not say which file it was."""
    path = tmp_path / "new" / "er" / "table"

    def fail():
        with write_atomic(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="new/er/table"):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_directory_of_this_name_is_named_and_not_the_temporary_file(tmp_path):
    """It said '.table.12938.tmp: Is a directory'."""
    (tmp_path / "table").mkdir()
    with (
        pytest.raises(IsADirectoryError, match=f"'{tmp_path}/table'$"),
        write_atomic(tmp_path / "table"),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_a_directory_that_cannot_be_written_is_told_by_the_name_of_the_file(
    tmp_path, monkeypatch
):
    def refuse(self, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with (
        pytest.raises(PermissionError, match=f"'{tmp_path}/table'$"),
        write_atomic(tmp_path / "table"),
    ):
        pass


@pytest.mark.parametrize("room", [0, 3000, 100_000])
def test_torch_names_the_file_when_the_disk_is_full(tmp_path, monkeypatch, room):
    """It raised 'RuntimeError: unexpected pos 704 vs 598'."""
    real = io.FileIO.write

    class Full(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(self, data)

    monkeypatch.setattr("pathlib.Path.open", lambda path, *_, **__: Full(path, "w"))
    with pytest.raises(OSError, match=f"No space left .*'{tmp_path}/model.pt'$"):
        save_tensors(tmp_path / "model.pt", "Network", {}, {"w": torch.ones(100_000)})
    assert not list(tmp_path.iterdir())
