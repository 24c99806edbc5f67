import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_manifests, read_utterances, write_manifests
from asdkit.io.tables import read_table
from asdkit.simulation.channels import CHANNELS


@pytest.fixture
def data(tmp_path, monkeypatch, one_thread):
    """Twelve drawn utterances, each of an attack."""
    monkeypatch.chdir(tmp_path)
    size = ["--num-spks", "6", "--num-sessions", "1", "--mean-sec", "0.4"]
    assert main(["speakers-draw", *size, "data", "wav"]) == 0
    manifests = read_manifests("data")
    for item in manifests.supervisions.values():
        item.custom = {"attack": "A07"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )


def test_every_utterance_goes_through_the_codec_that_utt2codec_names(data):
    assert main(["codec-apply", "--codecs", "none,alaw,gsm", "data", "out", "c"]) == 0
    codecs = read_table("out/utt2codec")
    assert set(codecs.values()) == {"none", "alaw", "gsm"}
    assert set(read_table("out/utt2attack").values()) == {"A07"}
    for item in read_utterances("out"):
        before, _ = soundfile.read(f"wav/{item.spk}/{item.utt}.flac", dtype="float32")
        after, _ = soundfile.read(item.source, dtype="float32")
        codec = codecs[item.utt]
        expected = before if codec == "none" else CHANNELS[codec](before, 16000)
        np.testing.assert_allclose(after, expected, atol=1e-4)


def test_an_unknown_codec_is_one_line(data, tmp_path, capsys):
    assert main(["codec-apply", "--codecs", "alaw,g799", "data", "out", "c"]) == 1
    error = capsys.readouterr().err
    assert "expected some of none, telephone, alaw" in error
    assert "got 'g799'" in error
    assert not (tmp_path / "out").exists()
