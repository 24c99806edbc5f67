"""The program feats-compute: what it leaves behind, and what stops it."""

import errno
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from lhotse import AudioSource, Recording, SupervisionSegment

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, write_manifests, write_utterances
from asdkit.features.mel import Fbank, Mfcc
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table

RATE = 16000


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Three recordings in the current directory; returns a writer of others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    utterances = []

    def add(utt, samples, rate=RATE, suffix="flac", duration=None, **kwargs):
        path = f"{utt}.{suffix}"
        soundfile.write(path, samples, rate, **kwargs)
        seconds = duration or max(len(samples), 1) / rate
        utterances.append(Utterance(utt, utt[:2], path, False, 0.0, seconds, 0, rate))
        write_utterances("data", utterances)

    for n in range(3):
        add(f"s{n}-u0", 0.1 * rng.standard_normal(8000 + 1000 * n))
    return add


def leftovers():
    """Everything that was written, apart from the corpus itself."""
    files = {os.path.join(d, f) for d, _, names in os.walk(".") for f in names}
    ours = ("./exp", "./data/feats", "./data/utt2num", "./data/vad", "./data/.")
    return sorted(name for name in files if name.startswith(ours))


def test_it_writes_an_archive_and_tells_the_data_directory(corpus):
    options = ["--num-ceps", "20", "--num-mel-bins", "25", "--dither", "0"]
    assert main(["feats-compute", *options, "data", "exp/mfcc"]) == 0
    assert leftovers() == [
        "./data/feats.scp",
        "./data/utt2num_frames",
        "./exp/mfcc/costs.jsonl",
        "./exp/mfcc/feats.ark",
        "./exp/mfcc/feats.json",
        "./exp/mfcc/feats.scp",
        "./exp/mfcc/origins.json",
        "./exp/mfcc/results.json",
    ]
    mfcc = Mfcc(num_ceps=20, num_mel_bins=25, dither=0.0)
    feats = dict(read_arrays("scp:data/feats.scp"))
    assert list(feats) == ["s0-u0", "s1-u0", "s2-u0"]
    for utt, matrix in feats.items():
        samples, _ = soundfile.read(f"{utt}.flac", dtype="float32")
        np.testing.assert_allclose(matrix, mfcc(samples), atol=1e-4)
    num_frames = {utt: str(len(matrix)) for utt, matrix in feats.items()}
    assert read_table("data/utt2num_frames") == num_frames
    with open("exp/mfcc/feats.json") as stream:
        info = json.load(stream)
    assert (info["type"], info["dim"]) == ("mfcc", 20)
    assert info["options"] == mfcc.options | {"seed": 0}
    assert {"command", "commit", "host", "time"} < info["provenance"].keys()


def test_kaldis_conf_files_work_unchanged(corpus, golden):
    for kind, dim in (("mfcc", 24), ("fbank", 80)):
        conf = str(golden / f"{kind}.conf")
        command = ["feats-compute", "--type", kind, "--config", conf]
        assert main([*command, "data", f"exp/{kind}"]) == 0
        assert next(read_arrays("scp:data/feats.scp"))[1].shape[1] == dim


@pytest.mark.parametrize(("kind", "dim"), [("lfcc", 20), ("spectrum", 45)])
def test_other_kinds_of_features(corpus, kind, dim):
    assert main(["feats-compute", "--type", kind, "data", "exp"]) == 0
    assert next(read_arrays("scp:data/feats.scp"))[1].shape[1] == dim


def test_an_option_of_another_kind_is_one_line(corpus, capsys):
    command = ["feats-compute", "--type", "fbank", "--num-ceps", "20", "data", "exp"]
    assert main(command) == 1
    assert "--num-ceps: --type fbank has no such option" in capsys.readouterr().err
    assert leftovers() == []


def test_noise_does_not_depend_on_the_company(corpus):
    """Dither is drawn for the utterance, not in the order of computing."""
    assert main(["feats-compute", "data", "exp/all"]) == 0
    everything = dict(read_arrays("scp:exp/all/feats.scp"))
    alone = Utterance("s1-u0", "s1", "s1-u0.flac", False, 0.0, 9000 / RATE, 0, RATE)
    write_utterances("one", [alone])
    assert main(["feats-compute", "one", "exp/one"]) == 0
    (feats,) = dict(read_arrays("scp:exp/one/feats.scp")).values()
    np.testing.assert_array_equal(feats, everything["s1-u0"])
    assert main(["feats-compute", "--seed", "1", "one", "exp/two"]) == 0
    (other,) = dict(read_arrays("scp:exp/two/feats.scp")).values()
    assert np.abs(other - feats).max() > 1e-3


def test_compressed_features_are_smaller_and_close(corpus):
    for compress in ("false", "true"):
        command = ["feats-compute", "--compress", compress, "data", f"exp/{compress}"]
        assert main(command) == 0
    size = os.path.getsize("exp/false/feats.ark")
    assert os.path.getsize("exp/true/feats.ark") < 0.35 * size
    plain = dict(read_arrays("scp:exp/false/feats.scp"))
    for utt, feats in read_arrays("scp:exp/true/feats.scp"):
        spread = np.ptp(plain[utt], axis=0)
        assert np.all(np.abs(feats - plain[utt]) <= 0.02 * spread)


def test_segments_and_channels_of_one_recording(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    samples = rng.integers(-3000, 3000, (3 * RATE, 2)) / 32768
    soundfile.write("talk.wav", samples, RATE)
    recording = Recording(
        id="talk",
        sources=[AudioSource("file", [0, 1], "talk.wav")],
        sampling_rate=RATE,
        num_samples=3 * RATE,
        duration=3.0,
    )
    places = {"s0-a": (0.5, 1.0, 0), "s0-b": (2.0, 1.0, 0), "s1-a": (0.0, 3.0, 1)}
    supervisions = [
        SupervisionSegment(utt, "talk", start, duration, channel, speaker=utt[:2])
        for utt, (start, duration, channel) in places.items()
    ]
    write_manifests("data", [recording], supervisions)
    assert main(["feats-compute", "--dither", "0", "data", "exp"]) == 0
    feats = dict(read_arrays("scp:data/feats.scp"))
    for utt, (start, duration, channel) in places.items():
        first, last = round(start * RATE), round((start + duration) * RATE)
        expected = Mfcc(dither=0.0)(samples[first:last, channel])
        np.testing.assert_allclose(feats[utt], expected, atol=1e-4)


def test_another_rate_is_resampled_and_said_once(corpus, rng, capsys):
    for n in range(2):
        corpus(f"s5-u{n}", 0.1 * rng.standard_normal(8000), rate=8000)
    corpus("s6-u0", 0.1 * rng.standard_normal(44100), rate=44100)
    assert main(["feats-compute", "data", "exp"]) == 0
    said = "3 of 6 utterances resampled to 16000 Hz, from 8000 Hz (2), 44100 Hz (1)\n"
    assert capsys.readouterr().err.count(said) == 1
    assert read_table("data/utt2num_frames")["s6-u0"] == "98"
    for option, rate in (("downsample", 44100), ("upsample", 8000)):
        command = ["feats-compute", f"--allow-{option}", "false", "data", "exp"]
        assert main(command) == 1
        assert f"expected 16000 Hz, got {rate} Hz" in capsys.readouterr().err


def test_commands_run_only_when_they_are_allowed(corpus, capsys):
    command = "cat s0-u0.flac"
    piped = Utterance("s0-u0", "s0", command, True, 0.0, 0.5, 0, RATE)
    write_utterances("data", [piped])
    assert main(["feats-compute", "data", "exp"]) == 1
    error = capsys.readouterr().err
    assert f"{command}: expected a sound file, got a command" in error
    assert leftovers() == []
    assert main(["feats-compute", "--allow-pipes", "true", "data", "exp"]) == 0
    assert read_table("data/utt2num_frames") == {"s0-u0": "48"}


def test_what_is_too_short_is_named_and_left_out(corpus, capsys):
    corpus("s7-u0", np.full(399, 0.1))
    corpus("s8-u0", np.full(10, 0.1))
    assert main(["feats-compute", "data", "exp"]) == 0
    said = "2 of 5 utterances skipped, shorter than one frame: s7-u0 s8-u0\n"
    assert said in capsys.readouterr().err
    assert list(read_table("data/feats.scp")) == ["s0-u0", "s1-u0", "s2-u0"]
    assert len(read_table("data/utt2num_frames")) == 3


def test_to_leave_most_out_is_an_error(corpus, capsys):
    for n in range(4):
        corpus(f"s7-u{n}", np.full(399, 0.1))
    assert main(["feats-compute", "data", "exp"]) == 1
    error = capsys.readouterr().err
    assert "4 of 7 utterances are shorter than one frame of 25 ms: s7-u0" in error
    assert leftovers() == []


def truncate(path, share=0.5):
    with open(path, "r+b") as stream:
        stream.truncate(int(os.path.getsize(path) * share))


def make_silent(add):
    add("s3-u0", np.zeros(8000))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda add: os.remove("s1-u0.flac"), "s1-u0.flac: no such file"),
        (lambda add: truncate("s1-u0.flac", 0), "s1-u0.flac: expected audio, got an"),
        (lambda add: truncate("s1-u0.flac"), "s1-u0.flac: damaged"),
        (lambda add: add("s3-u0", np.zeros(0)), "s3-u0.flac: "),
        (
            lambda add: (
                add("s3-u0", np.ones(9000), suffix="wav"),
                truncate("s3-u0.wav"),
            ),
            "s3-u0.wav: expected 18000 bytes of audio, got only 8978",
        ),
        (
            lambda add: add(
                "s3-u0", np.full(9000, np.nan), suffix="wav", subtype="FLOAT"
            ),
            "s3-u0.wav: holds NaN or infinite samples",
        ),
        (
            lambda add: add("s3-u0", np.ones(9000), duration=2.0),
            "s3-u0.flac: expected 2.00 s of audio, got 0.56 s",
        ),
        (lambda add: truncate("data/supervisions.jsonl.gz"), "supervisions.jsonl.gz"),
    ],
)
def test_bad_audio_is_one_line_and_leaves_nothing(corpus, capsys, harm, message):
    harm(corpus)
    capsys.readouterr()
    assert main(["feats-compute", "data", "exp"]) == 1
    lines = capsys.readouterr().err.splitlines()
    error = [line for line in lines if "error:" in line]
    assert len(error) == 1
    assert error[0].startswith("asdkit feats-compute: error: ")
    assert message in error[0]
    assert "Traceback" not in "".join(lines)
    assert leftovers() == []


def test_silence_is_legal(corpus):
    make_silent(corpus)
    assert main(["feats-compute", "--dither", "0", "data", "exp"]) == 0
    feats = dict(read_arrays("scp:data/feats.scp"))["s3-u0"]
    assert np.ptp(feats, axis=0).max() == 0


def test_a_failed_run_leaves_the_last_one_as_it_was(corpus, capsys):
    assert main(["feats-compute", "data", "exp"]) == 0
    before = {name: open(name, "rb").read() for name in leftovers()}  # noqa: SIM115
    truncate("s2-u0.flac")
    assert main(["feats-compute", "--num-ceps", "5", "data", "exp"]) == 1
    assert {name: open(name, "rb").read() for name in leftovers()} == before  # noqa: SIM115


def test_a_full_disk_is_one_line_and_leaves_nothing(corpus, capsys, monkeypatch):
    class FullDisk(io.BufferedWriter):
        def write(self, data):
            if self.tell() + len(data) > 2000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    def open_on_full_disk(path, mode="r", **kwargs):
        if mode == "wb":
            return FullDisk(io.FileIO(path, "w"))
        return open(path, mode, **kwargs)

    monkeypatch.setattr("pathlib.Path.open", open_on_full_disk)
    assert main(["feats-compute", "data", "exp"]) == 1
    error = capsys.readouterr().err
    assert (
        "asdkit feats-compute: error: exp/feats.ark: No space left on device" in error
    )
    assert leftovers() == []


def test_ctrl_c_leaves_nothing_and_the_stage_can_run_again(corpus, capsys, monkeypatch):
    with monkeypatch.context() as patch:

        def interrupt(self, samples, seed):
            raise KeyboardInterrupt

        patch.setattr(Fbank, "_prepare", interrupt)
        assert main(["feats-compute", "--type", "fbank", "data", "exp"]) == 130
    assert "interrupted; nothing half-written" in capsys.readouterr().err
    assert leftovers() == []
    assert main(["feats-compute", "--type", "fbank", "data", "exp"]) == 0


@pytest.mark.slow
def test_two_ranks_compute_what_one_computes(corpus, rng):
    corpus("s9-u0", 0.1 * rng.standard_normal(4000), rate=8000)
    corpus("s9-u1", np.full(399, 0.1))
    assert main(["feats-compute", "data", "exp/one"]) == 0
    num_frames = read_table("data/utt2num_frames")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = ["--nproc-per-node", "2", "-m", "asdkit", "feats-compute", "data"]
    done = subprocess.run(
        [*torchrun, *command, "exp/two"], capture_output=True, text=True, check=True
    )
    assert "1 of 5 utterances resampled" in done.stderr
    assert "1 of 5 utterances skipped" in done.stderr
    assert read_table("data/utt2num_frames") == num_frames
    one = dict(read_arrays("scp:exp/one/feats.scp"))
    two = dict(read_arrays("scp:data/feats.scp"))
    assert one.keys() == two.keys()
    for utt, feats in one.items():
        np.testing.assert_array_equal(two[utt], feats)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--dither", "1e19"], "hint: is it --dither 1e+19?"),
        (["--type", "fbank", "--dither", "1e21"], "hint: is it --dither 1e+21?"),
        (["--blackman-coeff", "1e38", "--window-type", "blackman"], "coeff 1e+38?"),
        (
            ["--type", "lfcc", "--preemphasis-coefficient", "0.5", "--frame-length=21"],
            "hint: its samples reach 1e+25, where full scale is 1",
        ),
    ],
)
def test_features_that_are_not_finite_are_refused_with_the_option(
    corpus, rng, capsys, options, hint
):
    if "lfcc" in options:
        samples = 1e25 * np.sign(rng.standard_normal(8000))
        corpus("s1-u9", samples, suffix="wav", subtype="FLOAT")
    assert main(["feats-compute", *options, "data", "exp"]) == 1
    error = capsys.readouterr().err
    utt = "s1-u9" if "lfcc" in options else "s0-u0"
    assert f"the features of '{utt}' are not finite, first in frame 0" in error
    assert hint in error
    assert leftovers() == []


def test_an_infinite_option_is_wrong_usage(corpus, capsys):
    for option in ("--blackman-coeff", "--low-freq", "--high-freq"):
        with pytest.raises(SystemExit):
            main(["feats-compute", f"{option}=inf", "data", "exp"])
        assert f"{option}: expected a finite number, got inf" in capsys.readouterr().err
