"""The program that draws a corpus: what it leaves behind."""

import subprocess
import sys

import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances
from asdkit.io.tables import read_table

SMALL = ["--num-spks", "2", "--num-sessions", "2", "--mean-sec", "0.5"]


def test_it_writes_audio_and_a_data_directory(tmp_path):
    data, audio = tmp_path / "data", tmp_path / "wav"
    assert main(["speakers-draw", *SMALL, "--prefix", "a", str(data), str(audio)]) == 0
    utterances = read_utterances(data)
    assert len(utterances) == 8
    for utterance in utterances:
        info = soundfile.info(utterance.source)
        assert (info.format, info.subtype) == ("FLAC", "PCM_16")
        assert (info.samplerate, info.channels) == (16000, 1)
        assert info.frames == round(utterance.duration * 16000)
    assert read_table(data / "spk2gender") == {"a0001": "f", "a0002": "m"}
    sessions = ["01", "01", "02", "02"] * 2
    assert [*read_table(data / "utt2session").values()] == sessions
    wav_scp = read_table(data / "wav.scp")
    assert wav_scp["a0001-01-01"] == f"{audio}/a0001/a0001-01-01.flac"


def test_an_impossible_corpus_is_one_line_and_leaves_nothing(tmp_path, capsys):
    args = [
        "speakers-draw",
        "--num-spks",
        "0",
        str(tmp_path / "d"),
        str(tmp_path / "w"),
    ]
    with pytest.raises(SystemExit, match="2"):
        main(args)
    assert "--num-spks: expected an integer at least 1" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_interrupted_run_leaves_no_data_directory_and_no_half_file(
    tmp_path, monkeypatch
):
    written = []

    def interrupt(*args, **kwargs):
        written.append(args)
        if len(written) == 3:
            raise KeyboardInterrupt
        return soundfile_write(*args, **kwargs)

    soundfile_write = soundfile.write
    monkeypatch.setattr(soundfile, "write", interrupt)
    data, audio = tmp_path / "data", tmp_path / "wav"
    assert main(["speakers-draw", *SMALL, str(data), str(audio)]) == 130
    assert not data.exists()
    files = [path for path in audio.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert soundfile.info(path).frames > 0


@pytest.mark.slow
def test_two_ranks_write_the_same_files_as_one(tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert main(["speakers-draw", *SMALL, str(alone), str(alone / "wav")]) == 0
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone",
         "--nproc-per-node", "2", "-m", "asdkit", "speakers-draw", *SMALL,
         str(together), str(together / "wav")],
        check=True,
    )  # fmt: skip
    names = {path.relative_to(alone) for path in (alone / "wav").rglob("*.flac")}
    assert len(names) == 8
    for name in names:
        assert (alone / name).read_bytes() == (together / name).read_bytes()
    assert (alone / "utt2dur").read_bytes() == (together / "utt2dur").read_bytes()
