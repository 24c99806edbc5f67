import pytest

from asdkit.base.errors import DataError
from asdkit.data.feats_info import INFO, FeatsInfo, read_info


@pytest.fixture
def data_dir(tmp_path):
    (tmp_path / "feats.scp").write_text(f"u1 {tmp_path}/feats.ark:3\n")
    return tmp_path


def test_what_nobody_remembers_is_none(data_dir):
    assert read_info(data_dir) is None


def test_what_is_remembered_stands_beside_the_archive(data_dir):
    (data_dir / INFO).write_text('{"type": "mfcc", "dim": 3, "options": {"seed": 0}}')
    assert read_info(data_dir) == FeatsInfo("mfcc", 3, {"seed": 0})


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"type": "mfcc"'])
def test_a_damaged_memory_is_an_error(data_dir, text):
    (data_dir / INFO).write_text(text)
    with pytest.raises(DataError, match=f"{INFO}: not a description of features"):
        read_info(data_dir)


def test_an_archive_without_offset_is_found_too(data_dir):
    (data_dir / "feats.scp").write_text(f"u1 {data_dir}/u1.mat\n")
    (data_dir / INFO).write_text('{"type": "mfcc", "dim": 3, "options": {"seed": 0}}')
    assert read_info(data_dir) == FeatsInfo("mfcc", 3, {"seed": 0})
