"""Anybody's folder of recordings becomes a data directory, and all of it is counted."""

import shutil

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import AsdkitError, DataError
from asdkit.corpora.recordings import prepare_recordings
from asdkit.data.manifests import read_utterances
from asdkit.io.tables import read_table


@pytest.fixture
def write(tmp_path, rng, monkeypatch):
    """Write a sound file below the folder `rec`; every one is different."""
    monkeypatch.chdir(tmp_path)

    def write(name, rate=16000, seconds=0.5, channels=1):
        path = tmp_path / "rec" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (round(rate * seconds), channels)
        soundfile.write(path, rng.uniform(-0.5, 0.5, shape), rate)
        return path

    return write


def numbers(table):
    return {row[0]: row[2].value for row in table.rows}


def test_whatever_people_have_is_used_or_counted(write):
    write("Ann Lee/day 1/a b.wav")
    write("Ann Lee/day 1/a_b.flac")
    write("Ann Lee/day 2/a b.wav", rate=44100, channels=2)
    write("bob/x.mp3", seconds=1)
    first = write("bob/deep/er/y.ogg", rate=8000)
    shutil.copy(first, first.with_name("copy of y.ogg"))
    write("bob/short.wav", seconds=0.05)
    write("nobody.wav")
    (first.parents[3] / "empty").mkdir()
    first.parents[3].joinpath("dave").mkdir()
    first.parents[3].joinpath("dave/bad.wav").write_bytes(b"RIFF....")
    first.parents[2].joinpath("notes.txt").write_text("x")
    table = prepare_recordings("rec", "data/all")
    assert numbers(table) == {
        "recordings": 5,
        "speakers": 2,
        "at 16000 Hz": 3,
        "at 44100 Hz": 1,
        "at 8000 Hz": 1,
        "with several channels": 1,
        "no speaker in the path": 1,
        "no audio": 1,
        "copies of another file": 1,
        "unreadable": 1,
        "shorter than 0.1 s": 1,
        "speakers without a usable recording": 1,
    }
    assert read_table("data/all/wav.scp") == {
        "Ann_Lee-day_1-a_b": "rec/Ann Lee/day 1/a b.wav",
        "Ann_Lee-day_1-a_b-2": "rec/Ann Lee/day 1/a_b.flac",
        "Ann_Lee-day_2-a_b": "sox 'rec/Ann Lee/day 2/a b.wav' -t wav - remix 1 |",
        "bob-deep-er-y": "rec/bob/deep/er/y.ogg",
        "bob-x": "rec/bob/x.mp3",
    } | {"Ann_Lee-day_2-a_b": read_table("data/all/wav.scp")["Ann_Lee-day_2-a_b"]}
    assert [x.duration for x in read_utterances("data/all")][:3] == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("rule", "spks"),
    [
        ("folder", {"a"}),
        ("parent", {"x1", "y2"}),
        (r"/([a-z])[0-9]/", {"x", "y"}),
        (r"_([^_/]+)\.wav", {"Ann"}),
    ],
)
def test_the_speaker_is_where_the_rule_says(write, rule, spks):
    write("a/x1/1_Ann.wav")
    write("a/y2/2_Ann.wav")
    prepare_recordings("rec", "data", rule)
    utt2spk = read_table("data/utt2spk")
    assert set(utt2spk.values()) == spks
    assert all(utt.startswith(spk) for utt, spk in utt2spk.items())


def test_links_to_folders_are_followed_but_not_in_circles(write, tmp_path):
    write("../elsewhere/Ann/1.wav")
    write("Bob/1.wav")
    (tmp_path / "rec" / "Ann").symlink_to(tmp_path / "elsewhere" / "Ann")
    (tmp_path / "rec" / "Bob" / "again").symlink_to(tmp_path / "rec")
    (tmp_path / "elsewhere" / "Ann" / "here").symlink_to(".")
    prepare_recordings("rec", "data")
    assert sorted(read_table("data/utt2spk").values()) == ["Ann", "Bob"]


def test_parts_have_different_speakers(write):
    for spk in "abcdef":
        write(f"{spk}/1.wav")
        write(f"{spk}/2.wav")
    prepare_recordings("rec", "all", split="3:2", seed=1)
    train, test = (set(read_table(f"all_{x}/spk2utt")) for x in ("train", "test"))
    assert (len(train), len(test), len(train & test)) == (3, 2, 0)
    table = prepare_recordings("rec", "all", split="auto")
    found = numbers(table)
    assert (found["speakers in train"], found["speakers in test"]) == (4, 2)


def test_copies_are_made_only_on_request(write, tmp_path):
    source = write("Ann Lee/a b.wav", rate=22050, channels=2)
    prepare_recordings("rec", "data", copy_to="copies")
    (utterance,) = read_utterances("data")
    assert utterance.source == "copies/Ann_Lee/Ann_Lee-a_b.flac"
    copy, rate = soundfile.read(utterance.source)
    assert rate == 22050
    np.testing.assert_allclose(copy, soundfile.read(source)[0][:, 0], atol=2**-14)


def test_one_recording_of_two_people_is_of_neither(write):
    for name in ("a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"):
        first = write(name)
    shutil.copy(first, first.parents[1] / "a" / "x.wav")
    table = prepare_recordings("rec", "data")
    assert numbers(table)["the same file under several speakers"] == 2
    assert set(read_table("data/utt2spk")) == {"a-1", "a-2", "b-1"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"speaker_from": "("}, "is no regular expression"),
        ({"speaker_from": "[a-z]+"}, "expected folder, parent or a group"),
        ({"split": "3"}, "expected e.g. 20:10, got '3'"),
        ({"split": "9:1"}, "expected 9 \\+ 1 speakers, got 2"),
        ({"speaker_from": "([0-9]{9})"}, "only 0 recordings can be used: 2 no speaker"),
    ],
)
def test_bad_options_are_one_line(write, tmp_path, options, words):
    write("a/1.wav")
    write("b/1.wav")
    with pytest.raises(AsdkitError, match=words) as caught:
        prepare_recordings("rec", "data", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_speakers_with_one_name_are_refused(write):
    write("a b/1.wav")
    write("a_b/1.wav")
    with pytest.raises(DataError, match="'a b' and 'a_b' would both be called 'a_b'"):
        prepare_recordings("rec", "data")


def test_nothing_to_use_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected a folder of recordings"):
        prepare_recordings(tmp_path / "none", tmp_path / "data")
    (tmp_path / "rec").mkdir()
    with pytest.raises(DataError, match="expected audio files below it, got nothing"):
        prepare_recordings(tmp_path / "rec", tmp_path / "data")
    (tmp_path / "rec" / "a").mkdir()
    (tmp_path / "rec" / "a" / "x.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    with pytest.raises(DataError, match="only 0 recordings") as caught:
        prepare_recordings(tmp_path / "rec", tmp_path / "data")
    assert "ffmpeg" in caught.value.hint
