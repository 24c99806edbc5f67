import errno
import gzip
import os

import pytest
from lhotse import AudioSource, Recording, SupervisionSegment

from asdkit.base.errors import DataError
from asdkit.data.manifests import (
    RECORDINGS,
    SUPERVISIONS,
    Utterance,
    read_manifests,
    read_utterances,
    write_manifests,
    write_utterances,
)


def utterance(utt="a-1", **changes):
    whole = Utterance(utt, "a", f"wav/{utt}.wav", False, 0.0, 1.5, 0, 16000, "f", "YES")
    return whole._replace(**changes)


def recording(reco="r", channels=1, **changes):
    source = AudioSource("file", list(range(channels)), f"wav/{reco} x.wav")
    arguments = {"id": reco, "sources": [source], "sampling_rate": 8000}
    return Recording(**{**arguments, "num_samples": 16000, "duration": 2.0, **changes})


def supervision(utt="u", reco="r", start=0.0, duration=2.0, channel=0, **more):
    return SupervisionSegment(utt, reco, start, duration, channel, speaker="s", **more)


def tables(directory):
    names = (p.name for p in directory.iterdir() if not p.name.endswith(".gz"))
    return {name: (directory / name).read_text().splitlines() for name in names}


def test_utterances_come_back_sorted_in_the_c_locale(tmp_path):
    utts = [utterance("b-1"), utterance("a-1"), utterance("B-1"), utterance("é")]
    write_utterances(tmp_path / "new" / "part", utts)
    read = read_utterances(tmp_path / "new" / "part")
    assert [item.utt for item in read] == ["B-1", "a-1", "b-1", "é"]
    assert read == sorted(utts)


def test_kaldi_tables_are_derived(tmp_path):
    command = utterance("b-1", spk="b", gender="Male", is_command=True, source="cat x")
    write_utterances(tmp_path, [utterance("a-2", text=None), utterance("a-1"), command])
    assert tables(tmp_path) == {
        "wav.scp": ["a-1 wav/a-1.wav", "a-2 wav/a-2.wav", "b-1 cat x |"],
        "utt2spk": ["a-1 a", "a-2 a", "b-1 b"],
        "spk2utt": ["a a-1 a-2", "b b-1"],
        "utt2dur": ["a-1 1.5", "a-2 1.5", "b-1 1.5"],
        "spk2gender": ["a f", "b m"],
        "text": ["a-1 YES", "b-1 YES"],
    }


def test_channels_come_back(tmp_path):
    stereo = [supervision("u1", "r", channel=0), supervision("u2", "r", channel=1)]
    write_manifests(tmp_path, [recording(channels=2)], stereo)
    assert tables(tmp_path)["segments"] == ["u1 r-1 0 2", "u2 r-2 0 2"]
    assert [item.channel for item in read_utterances(tmp_path)] == [0, 1]
    write_manifests(tmp_path, [recording()], [supervision(utt="r")])
    assert "segments" not in tables(tmp_path)


def test_each_channel_may_have_its_own_file(tmp_path):
    sources = [AudioSource("file", [c], f"c{c}.wav") for c in (0, 1)]
    right = supervision("r", "r", channel=1)
    write_manifests(tmp_path, [recording(sources=sources)], [right])
    (read,) = read_utterances(tmp_path)
    assert (read.source, read.channel) == ("c1.wav", 0)
    assert tables(tmp_path)["wav.scp"] == ["r c1.wav"]


def test_features_without_audio_have_no_recordings(tmp_path):
    write_manifests(tmp_path, [], [supervision()])
    assert not {"wav.scp", "segments"} & tables(tmp_path).keys()
    with pytest.raises(DataError, match=r"'u': recordings.jsonl.gz has no recording"):
        read_utterances(tmp_path)


def test_an_unknown_speaker_is_the_utterance_itself(tmp_path):
    alone = SupervisionSegment("r", "r", 0.0, 2.0)
    write_manifests(tmp_path, [recording()], [alone])
    assert read_utterances(tmp_path)[0].spk == "r"
    assert tables(tmp_path)["utt2spk"] == ["r r"]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))]
)
def test_an_error_leaves_the_directory_as_it_was(tmp_path, monkeypatch, error):
    write_utterances(tmp_path, [utterance()])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise error

    monkeypatch.setattr("asdkit.data.manifests.write_tables", fail)
    for directory in (tmp_path, tmp_path / "new"):
        with pytest.raises(type(error)):
            write_utterances(directory, [utterance("b-1")])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_part_of_a_file_is_not_an_utterance_of_its_own(tmp_path):
    with pytest.raises(ValueError, match="is not the whole of its source"):
        write_utterances(tmp_path, [utterance(start=1.0)])


def damage(path, how):
    data = path.read_bytes()
    lines = gzip.decompress(data)
    path.write_bytes(
        {
            "cut": data[:-9],
            "text": b"hello\n",
            "json": gzip.compress(b'{"id": \n'),
            "kind": gzip.compress(b'{"id": "a-1"}\n'),
            "twice": gzip.compress(lines + lines),
        }[how]
    )


@pytest.mark.parametrize("name", [RECORDINGS, SUPERVISIONS])
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("cut", r"gz:1: not a manifest of \w+s: EOFError"),
        ("text", r"gz: not a manifest of \w+s: BadGzipFile"),
        ("json", r"gz:1: not a manifest of \w+s: JSONDecodeError"),
        ("kind", r"gz:1: not a manifest of \w+s: (TypeError|KeyError)"),
        ("twice", r"gz:2: id 'a-1' comes twice"),
    ],
)
def test_a_damaged_manifest_is_named(tmp_path, name, how, message):
    write_utterances(tmp_path, [utterance()])
    damage(tmp_path / name, how)
    with pytest.raises(DataError, match=message):
        read_utterances(tmp_path)


def test_a_missing_or_empty_manifest_is_named(tmp_path):
    with pytest.raises(DataError, match="no such manifest") as caught:
        read_manifests(tmp_path)
    assert caught.value.hint.startswith("asdkit kaldi-import")
    write_manifests(tmp_path, [], [])
    with pytest.raises(DataError, match="expected utterances, got none"):
        read_utterances(tmp_path)


@pytest.mark.parametrize(
    ("reco", "channel", "message"),
    [
        (recording(), 3, r"'r': expected one of the channels \[0\] of recording 'r'"),
        (
            recording(sources=[AudioSource("url", [0], "http://x/y.wav")]),
            0,
            "'r': expected a file or a command, got a source of type 'url'",
        ),
        (
            recording().perturb_volume(2.0),
            0,
            "'r.*': expected no transform but Speed and Resample, got 'Volume'",
        ),
        (
            recording().perturb_speed(1.1),
            0,
            "'r.*': expected recording 'r.*' to be a file or a command, got transforms",
        ),
    ],
)
def test_audio_that_we_cannot_read_is_named(tmp_path, reco, channel, message):
    write_manifests(tmp_path, [], [supervision("r", reco.id)])
    from lhotse import RecordingSet, SupervisionSet

    RecordingSet.from_recordings([reco]).to_file(tmp_path / RECORDINGS)
    wanted = supervision("r", reco.id, channel=channel)
    SupervisionSet.from_segments([wanted]).to_file(tmp_path / SUPERVISIONS)
    with pytest.raises(DataError, match=message):
        read_utterances(tmp_path)


def test_an_id_with_a_blank_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"ids without blanks, got \('a b', 's', 'r'\)"):
        write_manifests(tmp_path, [recording()], [supervision("a b")])
    assert not list(tmp_path.iterdir())


def test_what_is_known_of_spoofed_speech_is_in_tables_of_its_own(tmp_path):
    bonafide = utterance("a-1", custom={"attack": "bonafide", "codec": "alaw"})
    spoof = utterance("a-2", custom={"attack": "A07", "other": [1, 2]})
    write_utterances(tmp_path, [bonafide, spoof, utterance("a-3")])
    assert tables(tmp_path)["utt2attack"] == ["a-1 bonafide", "a-2 A07"]
    assert tables(tmp_path)["utt2codec"] == ["a-1 alaw"]
    assert "utt2subset" not in tables(tmp_path)
    assert read_utterances(tmp_path) == [bonafide, spoof, utterance("a-3")]
    write_utterances(tmp_path, [utterance("a-3")])
    assert "utt2attack" not in tables(tmp_path)


@pytest.mark.parametrize("attack", ["A 07", "", 7])
def test_an_attack_is_one_word(tmp_path, attack):
    with pytest.raises(DataError, match="'a-1': expected one word for attack, got"):
        write_utterances(tmp_path, [utterance(custom={"attack": attack})])
