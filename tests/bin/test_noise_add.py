"""The program noise-add."""

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, read_utterances, write_utterances


@pytest.fixture
def data(tmp_path, rng, monkeypatch):
    """Three utterances of one second."""
    monkeypatch.chdir(tmp_path)
    for n in range(3):
        soundfile.write(f"s{n}.wav", 0.1 * rng.standard_normal(16000), 16000)
    write_utterances(
        "data",
        [Utterance(f"s{n}", "s", f"s{n}.wav", False, 0, 1, 0, 16000) for n in range(3)],
    )


def ratio_db(utt):
    clean, _ = soundfile.read(f"{utt}.wav")
    noisy, _ = soundfile.read(f"wav/s/{utt}.flac")
    return 10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2))


def test_audio_gets_noise_of_the_ratio(data):
    assert main(["noise-add", "--snr-db", "5", "data", "noisy", "wav"]) == 0
    assert [item.utt for item in read_utterances("noisy")] == ["s0", "s1", "s2"]
    assert ratio_db("s1") == pytest.approx(5, abs=0.05)


def test_recorded_noise_is_used_where_it_is_given(data):
    soundfile.write("hum.wav", 0.5 * np.sin(0.1 * np.arange(16000)), 16000)
    write_utterances(
        "hums", [Utterance("hum", "hum", "hum.wav", False, 0, 1, 0, 16000)]
    )
    options = ["--snr-db", "10", "--noises", "hums"]
    assert main(["noise-add", *options, "data", "noisy", "wav"]) == 0
    clean, _ = soundfile.read("s2.wav")
    noisy, _ = soundfile.read("wav/s/s2.flac")
    assert ratio_db("s2") == pytest.approx(10, abs=0.05)
    assert np.corrcoef(noisy - clean, np.sin(0.1 * np.arange(16000)))[0, 1] > 0.99


def test_missing_audio_is_one_line(data, tmp_path, capsys):
    (tmp_path / "s1.wav").unlink()
    assert main(["noise-add", "data", "noisy", "wav"]) == 1
    assert "s1.wav: no such file (1 of 3 are missing)" in capsys.readouterr().err
    assert not (tmp_path / "noisy").exists()


@pytest.mark.parametrize("ratio", ["-inf", "inf", "nan", "-1000"])
def test_a_ratio_that_no_sound_has_is_refused(data, tmp_path, capsys, ratio):
    """-inf was an AssertionError of soundfile's, and inf added nothing."""
    with pytest.raises(SystemExit) as caught:
        main(["noise-add", f"--snr-db={ratio}", "data", "noisy", "wav"])
    assert caught.value.code == 2
    assert "--snr-db" in capsys.readouterr().err
    assert not (tmp_path / "noisy").exists()
