"""VoxCeleb as it is unpacked, in each of the layouts that people have."""

import logging

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.corpora.voxceleb import (
    Speaker,
    find_audio,
    prepare_voxceleb,
    read_list,
    read_speakers,
)
from asdkit.data.manifests import read_utterances
from asdkit.io.tables import read_table

META1 = """\
VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet
id10001\tA.J._Buckley\tm\tIreland\tdev
id10270\tEartha_Kitt\tf\tUSA\ttest
"""
META2 = """\
VoxCeleb2 ID ,VGGFace2 ID ,Gender,Set\x20
id00012 ,n000001 ,m ,dev
id00017 ,n000012 ,f ,test
"""
DEV = "id10001/1zcIwhmdeo4/00001.wav"
TEST = ["id10270/5r0dWxy17C8/00001.wav", "id10270/_-a-_5r0dW8/00001.wav"]
DEV_UTT = "id10001-1zcIwhmdeo4-00001"
TEST_UTTS = ["id10270-5r0dWxy17C8-00001", "id10270-_-a-_5r0dW8-00001"]


def write_audio(path, num_samples=1600):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(num_samples), 16000)


@pytest.fixture(params=["wav wav", "dev/wav test/wav", "vox1_dev_wav/wav wav", ". ."])
def root(request, tmp_path):
    """VoxCeleb1 with one speaker of each part."""
    dev, test = request.param.split()
    write_audio(tmp_path / dev / DEV)
    for number, name in enumerate(TEST, start=1):
        write_audio(tmp_path / test / name, 1600 * number)
    (tmp_path / "vox1_meta.csv").write_text(META1)
    transcript = tmp_path / "txt" / DEV.replace(".wav", ".txt")
    transcript.parent.mkdir(parents=True)
    transcript.write_text("FRAME X Y W H")
    return tmp_path


def test_every_layout_gives_the_same_utterances(root, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for part, expected in [
        ("dev", [DEV_UTT]),
        ("test", TEST_UTTS),
        ("all", [DEV_UTT, *TEST_UTTS]),
    ]:
        prepare_voxceleb(root, data / part, part)
        assert [item.utt for item in read_utterances(data / part)] == expected
    found = read_utterances(data / "test")
    assert [item.duration for item in found] == [0.1, 0.2]
    assert {(item.spk, item.gender) for item in found} == {("id10270", "f")}
    assert [item.source.endswith(TEST[n]) for n, item in enumerate(found)] == [True] * 2


def test_the_tables_of_speakers_of_both_corpora_are_read(tmp_path):
    (tmp_path / "vox2_meta.csv").write_text(META2)
    expected = {"id00012": Speaker("m", "dev"), "id00017": Speaker("f", "test")}
    assert read_speakers(tmp_path) == expected


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (None, "expected one of vox1_meta.csv and vox2_meta.csv, got none"),
        ("id00012,m,dev\n", "vox2_meta.csv:1: expected columns Gender and Set"),
        ("", "expected columns Gender and Set, got none"),
        (META2 + "id00018 ,n0\n", "vox2_meta.csv:4: expected a speaker and 3 values"),
    ],
)
def test_a_wrong_table_of_speakers_is_named(tmp_path, meta, message):
    if meta is not None:
        (tmp_path / "vox2_meta.csv").write_text(meta)
    with pytest.raises(DataError, match=message):
        read_speakers(tmp_path)


def test_files_that_are_not_converted_yet_are_counted(tmp_path):
    path = tmp_path / "dev" / "aac" / "id00012" / "21Uxsk56VDQ" / "00001.m4a"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"ftypM4A")
    with pytest.raises(DataError, match=r"1 folders .* and 1 \.m4a files") as caught:
        find_audio(tmp_path, {"id00012"})
    assert "convert_m4a.sh" in caught.value.hint


def test_an_utterance_in_two_places_is_an_error(root):
    write_audio(root / "copy" / DEV)
    with pytest.raises(DataError, match=f"'{DEV_UTT}' is there twice"):
        prepare_voxceleb(root, root / "data", "dev")
    assert not (root / "data").exists()


def test_damaged_files_are_counted_and_the_first_is_named(root):
    path = next(root.rglob(TEST[0]))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=f"1 of 2 files cannot be read.*{TEST[0]}"):
        prepare_voxceleb(root, root / "data", "test")


def test_speakers_without_audio_are_told(root, caplog):
    with (root / "vox1_meta.csv").open("a") as stream:
        stream.write("id10002\tAaron\tm\tUSA\tdev\n")
    caplog.set_level(logging.WARNING)
    prepare_voxceleb(root, root / "data", "dev")
    assert "1 of 2 speakers have no audio, e.g. id10002" in caplog.text


def test_a_list_becomes_trials_of_utterances(root):
    prepare_voxceleb(root, root / "data")
    path = root / "list.txt"
    path.write_text(f"1 {TEST[0]} {TEST[1]}\n0 {TEST[0]} {DEV}\n")
    trials = read_list(path, root / "data")
    expected = [" ".join(TEST_UTTS), f"{TEST_UTTS[0]} {DEV_UTT}"]
    assert [trials.name(row) for row in range(2)] == expected
    assert trials.is_target.tolist() == [True, False]
    assert set(read_table(root / "data" / "utt2spk")) >= set(trials.test_ids)


def test_a_list_of_other_utterances_or_speakers_is_refused(root):
    prepare_voxceleb(root, root / "data", "test")
    path = root / "list.txt"
    path.write_text(f"1 {TEST[0]} {TEST[1]}\n0 {TEST[0]} {DEV}\n")
    with pytest.raises(DataError, match=f"lacks 1 of its utterances: '{DEV_UTT}'"):
        read_list(path, root / "data")
    path.write_text(f"1 {TEST[0]} {TEST[1]}\n0 {TEST[1]} {TEST[0]}\n")
    with pytest.raises(DataError, match=r"list.txt:2: 1 keys contradict the speakers"):
        read_list(path, root / "data")
