import errno

import pytest

from asdkit.io.files import write_atomic


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
