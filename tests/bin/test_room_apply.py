import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances
from asdkit.io.tables import read_table


@pytest.fixture
def data(tmp_path, monkeypatch, one_thread):
    monkeypatch.chdir(tmp_path)
    size = ["--num-spks", "4", "--num-sessions", "1", "--mean-sec", "0.4"]
    assert main(["speakers-draw", *size, "data", "wav"]) == 0


def test_an_utterance_and_its_replays_are_heard_in_the_same_environment(data):
    rooms = ["--environments", "aaa,bbc", "--seed", "3"]
    assert main(["room-apply", *rooms, "data", "heard", "h"]) == 0
    attacks = ["--attacks", "replay_AA,replay_CC", "--ids", "AA,CC"]
    made = [*attacks, *rooms, "--with-bonafide", "false"]
    assert main(["spoof-simulate", *made, "data", "replayed", "r"]) == 0
    heard = read_table("heard/utt2environment")
    assert set(heard.values()) == {"aaa", "bbc"}
    replayed = read_table("replayed/utt2environment")
    assert replayed == {f"{u}-{a}": e for u, e in heard.items() for a in ("AA", "CC")}
    for item in read_utterances("heard"):
        before = soundfile.info(f"wav/{item.spk}/{item.utt}.flac")
        assert soundfile.info(item.source).frames == before.frames


def test_what_is_not_heard_in_the_rooms_is_refused(data, tmp_path, capsys):
    rooms = ["--environments", "aaa", "--with-bonafide", "false"]
    assert main(["spoof-simulate", *rooms, "data", "out", "w"]) == 1
    assert "expected replays only, got 'lpc'" in capsys.readouterr().err
    replays = ["--attacks", "replay", "--environments", "aaa"]
    assert main(["spoof-simulate", *replays, "data", "out", "w"]) == 1
    assert "replays are in rooms, but the originals are not" in capsys.readouterr().err
    assert main(["room-apply", "--environments", "aaa,aad", "data", "out", "w"]) == 1
    assert "some of aaa, aab, ..., ccc; got 'aad'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
