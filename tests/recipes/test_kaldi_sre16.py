"""Telephone data as Kaldi's sre16 recipes have it, from import to adapted scores.

Calls of two sides in SPHERE files, sides chosen by sph2pipe or by
reco2file_and_channel, segments of these, 8 kHz, MFCCs up to 3,700 Hz, PLDA adapted to
unlabeled calls.  The voices are espeak-ng's.
"""

import os
import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table

GOLDEN = Path(__file__).parents[1] / "golden" / "kaldi"
CONF = {  # sre16/v1 and v2
    "mfcc_20.conf": "--sample-frequency=8000\n--frame-length=25\n--low-freq=20\n"
    "--high-freq=3700\n--num-ceps=20\n--snip-edges=false\n--dither=0\n",
    "mfcc_23.conf": "--sample-frequency=8000\n--frame-length=25\n--low-freq=20\n"
    "--high-freq=3700\n--num-mel-bins=23\n--num-ceps=23\n--snip-edges=false\n"
    "--dither=0\n",
    "vad.conf": "--vad-energy-threshold=5.5\n--vad-energy-mean-scale=0.5\n",
}
SPH2PIPE = f"""#!{sys.executable}
# sph2pipe -f wav -p -c N FILE: a stand-in for the tool of the LDC
import io, sys
import soundfile
x, rate = soundfile.read(sys.argv[-1], dtype="int16", always_2d=True)
side = int(sys.argv[sys.argv.index("-c") + 1]) - 1
out = io.BytesIO()
soundfile.write(out, x[:, side], rate, format="WAV")
sys.stdout.buffer.write(out.getvalue())
"""


def run(*words):
    assert main([str(word) for word in words]) == 0


def at_8_khz(path):
    """Halve the rate, after a low pass, as a telephone has it."""
    samples, rate = soundfile.read(path)
    assert rate == 16000
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > 3900] = 0
    return np.fft.irfft(spectrum, len(samples))[::2]


def side(utts):
    """Utterances one after another, with pauses, and where each is in seconds."""
    parts, spans, place = [], {}, 0
    for utt in utts:
        x = at_8_khz(GOLDEN / f"wav/{utt}.flac")
        parts += [x, np.zeros(2000)]
        spans[utt] = place / 8000, (place + len(x)) / 8000
        place += len(x) + 2000
    return np.concatenate(parts), spans


def write_calls(root, part, subtype):
    """Speakers by twos in a call; return call -> the spans of both sides."""
    spk2utt = read_table(GOLDEN / f"data/{part}/spk2utt")
    spks = [*spk2utt]
    calls = {}
    for a, b in zip(spks[::2], spks[1::2], strict=True):
        sides = [side(spk2utt[spk].split()) for spk in (a, b)]
        call = np.zeros((max(len(x) for x, _ in sides), 2))
        for n, (x, _) in enumerate(sides):
            call[: len(x), n] = x
        name = f"{part}-{a}-{b}"
        path = root / f"{name}.sph"
        soundfile.write(path, call, 8000, format="NIST", subtype=subtype)
        calls[name] = [(a, sides[0][1]), (b, sides[1][1])]
    return calls


def lay_out(root, part, calls, with_pipes):
    """A directory as local/make_sre.pl leaves it, or with reco2file_and_channel."""
    data = root / "data" / part
    data.mkdir(parents=True)
    tables = {name: {} for name in ("wav.scp", "segments", "utt2spk", "spk2gender")}
    tables["reco2file_and_channel"] = {}
    for call, sides in calls.items():
        for n, (spk, spans) in enumerate(sides):
            reco, path = f"{call}_{'AB'[n]}", root / f"{call}.sph"
            command = f"sph2pipe -f wav -p -c {n + 1} {path} |"
            tables["wav.scp"][reco] = command if with_pipes else path
            tables["reco2file_and_channel"][reco] = f"{call} {'AB'[n]}"
            tables["spk2gender"][spk] = "mf"[n]
            for utt, (start, end) in spans.items():
                tables["segments"][utt] = f"{reco} {start:.2f} {end:.2f}"
                tables["utt2spk"][utt] = spk
    for name, table in tables.items():
        text = "".join(f"{key} {table[key]}\n" for key in sorted(table))
        (data / name).write_text(text)
    return data


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The lab: conf, calls, data directories, and a folder with sph2pipe."""
    root = tmp_path_factory.mktemp("sre16")
    for name, text in CONF.items():
        (root / name).write_text(text)
    (root / "bin").mkdir()
    tool = root / "bin/sph2pipe"
    tool.write_text(SPH2PIPE)
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    lay_out(root, "train", write_calls(root, "train", "ULAW"), with_pipes=False)
    lay_out(root, "test", write_calls(root, "test", "PCM_16"), with_pipes=True)
    return root


@pytest.fixture
def with_sph2pipe(tree, monkeypatch):
    path = f"{tree / 'bin'}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)


@pytest.mark.slow
def test_telephone_calls_end_in_adapted_scores(tree, tmp_path, with_sph2pipe, capsys):
    data, exp = tmp_path / "data", tmp_path / "exp"
    for part in ("train", "test"):
        source = tree / "data" / part
        run("kaldi-import", "--allow-pipes", "true", source, data / part)
        conf = "--config", tree / "mfcc_20.conf", "--allow-pipes", "true"
        run("feats-compute", *conf, data / part, exp / "mfcc" / part)
        run("vad-compute", "--config", tree / "vad.conf", data / part, exp / f"v{part}")
    sizes = "--num-gauss", 8, "--subsample", 1
    run("ubm-train", *sizes, data / "train", exp / "ubm")
    sizes = "--ivector-dim", 10, "--num-iters", 2
    run("ivector-train", *sizes, data / "train", exp / "ubm", exp / "extractor")
    for part in ("train", "test"):
        run("ivector-extract", data / part, exp / "extractor", exp / part)
    train, test = (f"scp:{exp / part}/ivector.scp" for part in ("train", "test"))
    backend, adapted = exp / "backend.npz", exp / "adapted.npz"
    labels = data / "train/utt2spk"
    run("backend-train", "--lda-dim", 6, labels, train, backend)
    scales = "--within-covar-scale", 0.75, "--between-covar-scale", 0.25
    run("backend-adapt", *scales, backend, test, adapted)
    run("trials-make", data / "test", data / "test/trials")
    for name in (backend, adapted):
        scores = exp / f"scores_{name.stem}"
        run("backend-score", name, data / "test/trials", test, scores)
    capsys.readouterr()
    both = exp / "scores_backend", exp / "scores_adapted"
    run("score-metrics", data / "test/trials", *both)
    assert "scores_adapted" in capsys.readouterr().out
    first, second = (path.read_text() for path in both)
    assert first != second


@pytest.mark.slow
def test_both_ways_to_choose_a_side_give_the_same_frames(tree, tmp_path, with_sph2pipe):
    calls = tree / "data/test"
    plain = shutil.copytree(calls, tmp_path / "plain")
    wavs = read_table(calls / "wav.scp")
    lines = (f"{reco} {x.split()[-2]}\n" for reco, x in wavs.items())
    (plain / "wav.scp").write_text("".join(lines))
    feats = []
    for name, source in (("pipes", calls), ("plain", plain)):
        out = tmp_path / name / "data"
        run("kaldi-import", "--allow-pipes", "true", source, out)
        conf = "--config", tree / "mfcc_23.conf", "--allow-pipes", "true"
        run("feats-compute", *conf, out, tmp_path / name / "mfcc")
        feats.append(dict(read_arrays(f"scp:{out}/feats.scp")))
    assert len(feats[0]) == 24
    assert feats[0].keys() == feats[1].keys()
    for utt, x in feats[0].items():
        assert x.shape[1] == 23
        np.testing.assert_array_equal(x, feats[1][utt])
    channels = {x.channel for x in read_utterances(out)}
    assert channels == {0, 1}


def test_a_pipe_does_not_run_unless_it_is_allowed(tree, tmp_path, capsys):
    assert main(["kaldi-import", str(tree / "data/test"), str(tmp_path / "out")]) == 1
    assert "--allow-pipes true" in capsys.readouterr().err
