"""What a Kaldi directory says of its recordings, and what their files say."""

import logging
import shlex

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.batches.cut_arrays import load_samples
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import read_manifests, read_utterances
from asdkit.io.audio import read_audio
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def test_containers_and_rates_are_taken_as_they_are(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    read = {item.utt: item for item in read_utterances(tmp_path / "out")}
    assert [item.sampling_rate for item in read.values()] == [8000, 16000, 44100] * 2
    assert read["s1-u0"].source == "wav/s1-u0.ogg"
    assert read["s1-u0"].duration == (44100 + 200) / 44100
    assert read["s1-u0"][7:10] == (44100, "m", "THIS IS S1-U0")
    assert not any(
        item.is_command or item.start or item.channel for item in read.values()
    )


def test_an_mp3_is_as_long_as_what_decodes(lab, tmp_path, rng, mp3_frames, caplog):
    """44 % of one of a varying bit rate were lost, at exit code 0."""
    caplog.set_level("INFO")
    samples = np.concatenate([rng.uniform(-0.5, 0.5, 8000), np.zeros(24000)])
    frames = mp3_frames(samples)[1:]
    (tmp_path / "a.mp3").write_bytes(b"".join(frames))
    wavs = read_table(lab / "wav.scp") | {"s0-u0": f"{tmp_path}/a.mp3"}
    (lab / "wav.scp").write_text("".join(f"{k} {v}\n" for k, v in wavs.items()))
    import_directory(lab, tmp_path / "out")
    durations = read_table(tmp_path / "out" / "utt2dur")
    assert float(durations["s0-u0"]) == 576 * len(frames) / 16000
    assert "reliable length: MP3 (1), OGG (2)" in caplog.text
    cuts = {cut.id: cut for cut in read_cuts(tmp_path / "out", features=False)}
    loaded = load_samples(cuts["s0-u0"])
    np.testing.assert_array_equal(loaded, read_audio(f"{tmp_path}/a.mp3")[0])
    part = load_samples(cuts["s0-u0"].truncate(offset=0.25, duration=1.5))
    np.testing.assert_allclose(part, loaded[4000:28000], atol=1e-6)


def test_pipes_run_only_if_they_are_allowed(lab, tmp_path, table):
    ran = tmp_path / "ran"
    wavs = read_table(lab / "wav.scp")
    wavs["s0-u1"] = f"touch {ran}; cat wav/s0-u1.flac |"
    table(lab / "wav.scp", wavs)
    with pytest.raises(
        DataError, match=r"wav.scp:2: expected a sound file, got the com"
    ) as e:
        import_directory(lab, tmp_path / "out")
    assert "--allow-pipes true" in e.value.hint
    assert not ran.exists()
    import_directory(lab, tmp_path / "out", allow_pipes=True)
    assert ran.exists()
    read = read_utterances(tmp_path / "out")[1]
    assert read.is_command
    assert read.source == f"touch {ran}; cat wav/s0-u1.flac"
    assert read.duration == (16000 + 100) / 16000
    assert read_table(tmp_path / "out" / "wav.scp")["s0-u1"] == wavs["s0-u1"]


def test_a_pipe_that_fails_says_what_it_said(lab, tmp_path, table):
    table(
        lab / "wav.scp", read_table(lab / "wav.scp") | {"s0-u1": "echo no >&2; false |"}
    )
    with pytest.raises(DataError, match="the command fails with 1: 'no'"):
        import_directory(lab, tmp_path / "out", allow_pipes=True)


def test_known_lengths_are_believed_without_opening_a_file(lab, tmp_path, table):
    table(lab / "utt2dur", {utt: "1.25" for utt in read_table(lab / "utt2spk")})
    (tmp_path / "wav" / "s0-u0.wav").unlink()
    with pytest.raises(DataError, match="1 of 6 recordings cannot be read"):
        import_directory(lab, tmp_path / "out")
    import_directory(lab, tmp_path / "out", sampling_rate=8000)
    recording = read_manifests(tmp_path / "out").recordings["s0-u0"]
    assert (recording.num_samples, recording.duration) == (10000, 1.25)


def spoil(tmp_path, utt, how):
    path = tmp_path / "wav" / f"{utt}.wav"
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "no samples":
        soundfile.write(path, np.zeros(0), 8000)
    elif how == "text":
        path.write_text("hello\n")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "no such file"),
        ("empty", "expected audio, got an empty file"),
        ("no samples", "expected audio, got no samples"),
        ("text", "cannot read it: Format not recognised"),
        ("cut", "expected 16000 bytes of audio, got only 15900"),
    ],
)
def test_all_bad_audio_is_named_at_once(lab, tmp_path, how, message, caplog):
    for utt in ("s0-u0", "s1-u1"):
        spoil(tmp_path, utt, how)
    with pytest.raises(DataError, match=rf"wav.scp:1: 2 of 6 .*{message}"):
        import_directory(lab, tmp_path / "out")
    named = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert [shlex.split(line)[1] for line in named] == [
        "wav/s0-u0.wav:",
        "wav/s1-u1.wav:",
    ]


@pytest.mark.parametrize("value", ["0", "-1", "nan", "x"])
def test_a_bad_duration_is_named(lab, tmp_path, table, value):
    durations = {utt: "1" for utt in read_table(lab / "utt2spk")} | {"s0-u1": value}
    table(lab / "utt2dur", durations)
    with pytest.raises(
        DataError, match=f"utt2dur:2: expected a positive number, got '{value}'"
    ):
        import_directory(lab, tmp_path / "out", sampling_rate=16000)
