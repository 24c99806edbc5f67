import pytest

from asdkit.base.errors import DataError
from asdkit.data.feats_info import (
    INFO,
    VAD_INFO,
    FeatsInfo,
    VadInfo,
    parse_feats_info,
    read_info,
    read_vad_info,
)


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


def test_how_speech_was_found_stands_beside_its_archive(data_dir):
    (data_dir / "vad.scp").write_text(f"u1 {data_dir}/vad.ark:3\n")
    assert read_vad_info(data_dir) is None
    (data_dir / VAD_INFO).write_text('{"method": "energy", "options": {"a": 1}}')
    assert read_vad_info(data_dir) == VadInfo("energy", {"a": 1})
    (data_dir / VAD_INFO).write_text('{"method": "energy"}')
    with pytest.raises(DataError, match="not a description of voice activity detectio"):
        read_vad_info(data_dir)


def test_a_description_that_is_not_there_names_who_writes_it(tmp_path):
    with pytest.raises(DataError, match=r"feats.json: no such file") as caught:
        parse_feats_info(tmp_path / INFO)
    assert caught.value.hint == "feats-compute writes it"
