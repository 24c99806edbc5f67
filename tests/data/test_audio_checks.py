"""What is listed about audio is compared with what can be decoded."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.directory_validation import validate
from asdkit.io.tables import write_table
from asdkit.kaldi.import_data import import_directory

RATE = 8000


@pytest.fixture
def sound(rng):
    """A second of noise, (8000,) float32."""
    return rng.uniform(-0.5, 0.5, RATE).astype(np.float32)


@pytest.fixture
def kaldi(tmp_path, monkeypatch, sound):
    """A Kaldi data directory of three sound files, a, b and c."""
    monkeypatch.chdir(tmp_path)
    for utt in "abc":
        soundfile.write(f"{utt}.wav", sound, RATE, "FLOAT")
    write_table("kaldi/wav.scp", {utt: f"{utt}.wav" for utt in "abc"})
    write_table("kaldi/utt2spk", dict.fromkeys("abc", "a"))
    write_table("kaldi/spk2utt", {"a": "a b c"})
    return tmp_path / "kaldi"


@pytest.fixture
def data(kaldi):
    """The same with manifests."""
    import_directory(kaldi, "data")
    return kaldi.parent / "data"


def told(directory, audio=True):
    """What is said about a directory, without its name."""
    problems = validate(directory, audio=audio).problems()
    assert all(problem.cure for problem in problems)
    shown = [f"{x.path.name}:{x.line}: {x.text}" for x in problems]
    return [text.replace(f"{directory}/", "") for text in shown]


def with_nan(samples):
    samples[1234] = np.inf
    samples[1500] = np.nan
    return samples


# how b.wav is written anew, what is said of it
CHANGED = {
    "rate": (
        lambda x: soundfile.write("b.wav", np.repeat(x, 2), 2 * RATE),
        "expected 8000 Hz, got 16000 Hz in 'b.wav'",
    ),
    "shorter": (
        lambda x: soundfile.write("b.wav", x[: RATE // 2], RATE),
        "expected 1.000 s of audio, got 0.500 s in 'b.wav'",
    ),
    "longer": (
        lambda x: soundfile.write("b.wav", np.tile(x, 9), RATE),
        "expected 1.000 s of audio, got 9.000 s in 'b.wav'",
    ),
    "stereo": (
        lambda x: soundfile.write("b.wav", np.stack([x, x], axis=1), RATE),
        "expected 1 channels, got 2 in 'b.wav'",
    ),
    "NaN": (
        lambda x: soundfile.write("b.wav", with_nan(x), RATE, "FLOAT"),
        "NaN or infinity in 'b.wav', first at 0.154 s",
    ),
    "no audio": (
        lambda _: Path("b.wav").write_text("text"),
        "b.wav: cannot read it: Format not recognised.",
    ),
}


@pytest.mark.parametrize(("change", "expected"), CHANGED.values(), ids=CHANGED)
def test_a_changed_file_is_reported_once(data, sound, change, expected):
    assert told(data) == []
    change(sound)
    assert told(data) == [f"recordings.jsonl.gz:2: 'b': {expected}"]
    assert told(data, audio=False) == []


@pytest.mark.parametrize("name", ["WAV", "FLAC", "OGG", "AIFF"])
def test_a_file_cut_short_is_reported(data, sound, name):
    sound = np.tile(sound, 4)
    soundfile.write("b.wav", sound, RATE, format=name)
    import_directory("kaldi", data)
    assert told(data) == []
    with open("b.wav", "r+b") as stream:
        stream.truncate(stream.seek(0, 2) * 3 // 4)
    (line,) = told(data)
    assert line.startswith("recordings.jsonl.gz:2: 'b': ")


def test_bits_that_turned_in_the_middle_are_found(data, sound):
    soundfile.write("b.wav", sound, RATE, format="FLAC")
    assert told(data) == []
    with open("b.wav", "r+b") as stream:
        middle = stream.seek(0, 2) // 2
        stream.seek(middle)
        stream.write(b"\xff" * 2000)
    (line,) = told(data)
    assert line.startswith("recordings.jsonl.gz:2: 'b': ")


def test_files_longer_than_a_block_are_read_to_the_end(data, sound):
    long = np.tile(sound, 60)
    long[-1] = np.nan
    soundfile.write("b.wav", long, RATE, "FLOAT")
    assert "'b': NaN or infinity in 'b.wav', first at 60.000 s" in told(data)[-1]


def test_durations_rounded_by_tables_are_no_difference(kaldi, sound):
    soundfile.write("b.wav", sound[:7983], RATE)
    write_table("kaldi/reco2dur", {"a": "1.00", "b": "1.00", "c": "1.00"})
    assert told(kaldi) == []
    soundfile.write("b.wav", sound[:7900], RATE)
    expected = "wav.scp:2: 'b': expected 1.000 s of audio, got 0.988 s in 'b.wav'"
    assert told(kaldi) == [expected]


def test_commands_are_counted_and_not_run(kaldi, caplog):
    caplog.set_level("INFO")
    write_table("kaldi/wav.scp", {"a": "a.wav", "b": "touch ran; cat b.wav |"})
    validate(kaldi, audio=True)
    assert not (kaldi.parent / "ran").exists()
    assert "checked 1 sound files (0 missing; 1 recordings are" in caplog.text


def test_a_missing_file_is_reported_once(data):
    (data.parent / "b.wav").unlink()
    assert told(data) == told(data, audio=False)
    assert len(told(data)) == 1


def test_the_program_counts_all_and_shows_some(data, capsys):
    for utt in "abc":
        soundfile.write(f"{utt}.wav", np.zeros((4000, 2)), 16000)
    assert main(["data-validate", "--audio", "true", "data"]) == 1
    shown = capsys.readouterr().err
    assert "error: data: 9 problems\n" in shown
    assert shown.count("  cure: the file has changed") == 9
    assert main(["data-validate", "data"]) == 0
