"""From drawn speakers to a corpus of attacks."""

import subprocess
import sys

import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances
from asdkit.io.tables import read_table

ATTACKS = ["--attacks", "lpc,griffin_lim,replay"]


@pytest.fixture
def data(tmp_path, monkeypatch, one_thread):
    monkeypatch.chdir(tmp_path)
    size = ["--num-spks", "2", "--num-sessions", "1", "--mean-sec", "0.6"]
    assert main(["speakers-draw", *size, "data", "wav"]) == 0


def test_a_bonafide_corpus_becomes_one_of_attacks(data):
    ids = ["--ids", "A01,A02,A03"]
    assert main(["spoof-simulate", *ATTACKS, *ids, "data", "la", "spoof"]) == 0
    attacks = read_table("la/utt2attack")
    assert sorted(attacks.values()) == 4 * ["A01"] + 4 * ["A02"] + 4 * ["A03"] + 4 * [
        "bonafide"
    ]
    for item in read_utterances("la"):
        info = soundfile.info(item.source)
        assert info.samplerate == 16000
        assert info.frames == round(16000 * item.duration)
        assert item.spk == item.utt[:7]
        assert item.gender in ("f", "m")
    assert main(["data-validate", "la"]) == 0


def test_one_attack_per_utterance(data):
    options = ["--per-utterance", "one", "--with-bonafide", "false"]
    assert main(["spoof-simulate", *ATTACKS, *options, "data", "la", "spoof"]) == 0
    attacks = read_table("la/utt2attack")
    assert len(attacks) == 4
    assert set(attacks.values()) == {"lpc", "griffin_lim", "replay"}


def test_an_attack_without_transcripts_is_one_line(data, tmp_path, capsys, monkeypatch):
    from asdkit.simulation import text_to_speech

    monkeypatch.setattr(text_to_speech.shutil, "which", lambda name: f"/bin/{name}")
    assert main(["spoof-simulate", "--attacks", "espeak", "data", "la", "spoof"]) == 1
    assert "4 have no transcript" in capsys.readouterr().err
    assert not (tmp_path / "la").exists()


@pytest.mark.slow
def test_two_ranks_write_the_same_files_as_one(data, tmp_path):
    assert main(["spoof-simulate", *ATTACKS, "data", "one", "alone"]) == 0
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone",
         "--nproc-per-node", "2", "-m", "asdkit", "spoof-simulate", *ATTACKS,
         "data", "two", "together"],
        check=True,
    )  # fmt: skip
    files = sorted((tmp_path / "alone").rglob("*.flac"))
    assert len(files) == 12
    for path in files:
        again = tmp_path / "together" / path.relative_to(tmp_path / "alone")
        assert again.read_bytes() == path.read_bytes()
    for name in "utt2attack", "utt2dur":
        assert (tmp_path / "one" / name).read_bytes() == (
            tmp_path / "two" / name
        ).read_bytes()
