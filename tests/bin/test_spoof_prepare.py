import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main

FOLDER = "ASVspoof2019_LA"
ARGUMENTS = ["spoof-prepare", "--corpus", "asvspoof2019_la", "--part", "train"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """ASVspoof 2019 LA train with three utterances."""
    monkeypatch.chdir(tmp_path)
    audio, lists = (tmp_path / f"{FOLDER}_{x}" for x in ("train/flac", "cm_protocols"))
    audio.mkdir(parents=True)
    lists.mkdir()
    lines = []
    for n, key in enumerate(["- bonafide", "A01 spoof", "A02 spoof"]):
        soundfile.write(audio / f"LA_T_{n}.flac", np.full(1600, 0.1), 16000)
        lines.append(f"LA_0001 LA_T_{n} - {key}\n")
    (lists / "ASVspoof2019.LA.cm.train.trn.txt").write_text("".join(lines))
    return tmp_path


def test_the_log_says_what_there_is(root, capsys):
    assert main([*ARGUMENTS, ".", "data/train"]) == 0
    said = "data/train: 1 bona fide utterances, 2 spoofed: A01 (1) A02 (1); 1 speakers"
    assert said in capsys.readouterr().err


def test_bad_audio_is_one_line_with_its_cure(root, capsys):
    (root / f"{FOLDER}_train" / "flac" / "LA_T_2.flac").write_bytes(b"")
    assert main([*ARGUMENTS, ".", "data/train"]) == 1
    error = capsys.readouterr().err
    assert "1 of 3 files are unusable (1 damaged), e.g. " in error
    assert "hint: --skip-bad true leaves them out" in error
    assert not (root / "data").exists()
    assert main([*ARGUMENTS, "--skip-bad", "true", ".", "data/train"]) == 0


def test_a_part_that_is_not_there_is_one_line(root, capsys):
    wrong = ["spoof-prepare", "--corpus", "asvspoof2021_df", "--part", "train"]
    assert main([*wrong, ".", "data/train"]) == 1
    assert "asvspoof2021_df has no such part, only eval" in capsys.readouterr().err
