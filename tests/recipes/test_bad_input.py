"""What a user sees of bad input, through the command: one line, and nothing written."""

import argparse
import contextlib
import hashlib
import importlib
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main, programs
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.tables import read_table, write_table

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("damaged")]

DRAW = "--num-spks 6 --num-sessions 2 --utts-per-session 2 --mean-sec 1.0"
CHAIN = [
    f"speakers-draw {DRAW} data wav",
    "trials-make data data/trials",
    "feats-compute data exp/mfcc",
    "vad-compute data exp/vad",
    "ubm-train --num-gauss 4 data exp/ubm",
    "ivector-train --ivector-dim 5 --num-iters 2 data exp/ubm exp/extractor",
    "ivector-extract data exp/extractor exp/ivectors",
    "backend-train --lda-dim 4 data/utt2spk scp:exp/ivectors/ivector.scp exp/backend",
    "backend-score exp/backend data/trials scp:exp/ivectors/ivector.scp exp/scores",
    "calibration-train data/trials exp/scores exp/calibration",
    "spoof-simulate --attacks lpc data data_spoof wav_spoof",
    "feats-compute data_spoof exp/mfcc_spoof",
    "cm-gmm-train --num-gauss 2 data_spoof exp/gmm",
    "stats-extract data_spoof exp/stats",
    "cm-classifier-train --classifier naive_bayes data_spoof/utt2attack"
    " scp:exp/stats/embedding.scp data_spoof/utt2attack scp:exp/stats/embedding.scp"
    " exp/bayes",
]
UBM_TRAIN = "ubm-train --num-gauss 4 data exp/new"
IVECTOR_TRAIN = "ivector-train --ivector-dim 4 data exp/ubm exp/new"
IVECTOR_EXTRACT = "ivector-extract data exp/extractor exp/new"
READ_FRAMES = [UBM_TRAIN, IVECTOR_TRAIN, IVECTOR_EXTRACT]
BACKEND_TRAIN = (
    "backend-train --lda-dim 3 data/utt2spk scp:exp/ivectors/ivector.scp exp/new"
)
BACKEND_SCORE = (
    "backend-score exp/backend data/trials scp:exp/ivectors/ivector.scp exp/new"
)
UTT = "spk0002-01-01"
AUDIO = Path(f"wav/spk0002/{UTT}.flac")


@pytest.fixture(scope="session")
def finished_chain(tmp_path_factory):
    """A drawn corpus and all that the chain makes of it."""
    here = tmp_path_factory.mktemp("chain")
    with contextlib.chdir(here):
        for command in CHAIN:
            assert main(command.split()) == 0, command
    return here


@pytest.fixture
def chain(finished_chain, tmp_path, monkeypatch):
    """A copy of it to spoil, as the current directory."""
    here = tmp_path / "here"
    shutil.copytree(finished_chain, here)
    monkeypatch.chdir(here)
    return here


def contents():
    """Everything under the current directory."""
    return {
        path: hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
        for path in Path().rglob("*")
    }


@pytest.fixture
def refused(chain, capsys):
    """Run a command that must fail; return its error line."""

    def run(command, code=1):
        before = contents()
        capsys.readouterr()
        try:
            found = main(command.split())
        except SystemExit as stop:
            found = stop.code
        told = capsys.readouterr().err.splitlines()
        # What has been spoiled here is of unknown origin, which is said, too.
        told = [x for x in told if " WARNING [origins:" not in x]
        lines = [x for x in told if " INFO [" not in x]
        assert found == code, lines
        name = command.split()[0]
        assert lines[0].startswith(f"asdkit {name}: error: "), lines
        assert all(line.startswith("  hint: ") for line in lines[1:]), lines
        assert len(lines) <= 2, lines
        assert contents() == before
        return lines[0]

    return run


@pytest.fixture
def accepted(chain, capsys):
    """Run a command that must succeed; return what it says."""

    def run(command):
        capsys.readouterr()
        assert main(command.split()) == 0
        return capsys.readouterr().err

    return run


# Audio.


def write_audio(change):
    samples, rate = soundfile.read(AUDIO, dtype="float32")
    with AUDIO.open("wb") as stream:
        soundfile.write(stream, change(samples), rate, "FLOAT", format="WAV")


def with_nan(samples):
    samples[500] = np.nan
    return samples


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda: AUDIO.write_bytes(b""), "expected audio, got an empty file"),
        (lambda: AUDIO.write_bytes(b"no audio" * 999), "cannot read it: "),
        (
            lambda: AUDIO.write_bytes(AUDIO.read_bytes()[:9999]),
            "damaged or cut short: ",
        ),
        (AUDIO.unlink, "no such file"),
        (lambda: write_audio(with_nan), "holds NaN or infinite samples"),
        (lambda: write_audio(lambda x: x[:0]), "expected audio, got no samples"),
        (lambda: write_audio(lambda x: x[:99]), "of audio, got 0.01 s"),
    ],
    ids=["empty", "garbage", "truncated", "missing", "nan", "zero-length", "short"],
)
def test_bad_audio_is_named(refused, spoil, problem):
    spoil()
    for out in ("exp/mfcc", "exp/new"):
        line = refused(f"feats-compute data {out}")
        assert str(AUDIO) in line
        assert problem in line


def test_silent_audio_has_features_but_no_voiced_frame(accepted):
    write_audio(np.zeros_like)
    accepted("feats-compute data exp/mfcc")
    assert "1 without speech" in accepted("vad-compute data exp/vad")
    for command in READ_FRAMES:
        said = accepted(command)
        assert f"1 of 24 utterances have no voiced frame: skipped {UTT}" in said
    assert len(read_table("exp/new/ivector.scp")) == 23


# Features.


def spoil_feats(change, utts=(UTT,)):
    """Replace the features of some utterances."""
    arrays = dict(read_arrays("data/feats.scp"))
    with ArkWriter("exp/spoilt", "feats") as writer:
        for utt, feats in arrays.items():
            writer[utt] = change(feats.copy()) if utt in utts else feats
    write_table("data/feats.scp", read_table(writer.scp))


def set_one(value):
    def change(feats):
        feats[5, 3] = value
        return feats

    return change


@pytest.mark.parametrize("command", READ_FRAMES)
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_one(np.nan), "holds NaN or infinity"),
        (set_one(1e30), "or more than 1e+15"),
        (lambda x: x[:, :5], "has 5 dimensions, those before 13"),
        (lambda x: x[:, 0], "expected a matrix, got"),
        (lambda x: x[:, :0], "expected a matrix, got"),
        (lambda x: x[:-3], "decisions for"),
    ],
    ids=["nan", "huge", "dimension", "vector", "no columns", "length"],
)
def test_bad_features_are_named(refused, command, change, problem):
    spoil_feats(change)
    line = refused(command)
    assert UTT in line
    assert problem in line


@pytest.mark.parametrize("command", [UBM_TRAIN, IVECTOR_TRAIN])
def test_features_that_never_vary_are_refused(refused, command):
    spoil_feats(np.zeros_like, read_table("data/feats.scp"))
    assert "all frames are the same" in refused(command)


@pytest.mark.parametrize("command", [IVECTOR_TRAIN, IVECTOR_EXTRACT])
def test_features_of_another_type_than_the_ubm_s_are_refused(refused, command):
    spoil_feats(lambda x: x[:, :5], read_table("data/feats.scp"))
    line = refused(command)
    assert "expected frames of 39 dimensions, as in the UBM, got 15" in line


@pytest.mark.parametrize("command", [*READ_FRAMES, "vad-compute data exp/new"])
@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda ark: ark.replace(b"\0BFM", b"\0BQZ"), "expected a matrix or vector"),
        (lambda ark: ark[: len(ark) // 2], "more bytes, got the end of the file"),
        (lambda ark: b"", "is beyond its end"),
    ],
    ids=["header", "cut short", "empty"],
)
def test_a_corrupt_archive_is_named(refused, command, harm, problem):
    ark = Path("exp/mfcc/feats.ark")
    ark.write_bytes(harm(ark.read_bytes()))
    line = refused(command)
    assert "exp/mfcc/feats.ark: cannot read 'spk" in line
    assert problem in line


@pytest.mark.parametrize("command", READ_FRAMES)
def test_no_voiced_frame_at_all_is_an_error(refused, command):
    with ArkWriter("exp/mute", "vad") as writer:
        for utt, voiced in read_arrays("data/vad.scp"):
            writer[utt] = 0 * voiced
    write_table("data/vad.scp", read_table(writer.scp))
    assert re.search("data: .* voiced frame", refused(command))


# Too little.


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (UBM_TRAIN.replace("4", "999"), "999 Gaussians need at least 9990 frames, got"),
        (
            IVECTOR_TRAIN.replace("4", "25"),
            "utterances as i-vector dimensions, 25, got",
        ),
        (BACKEND_TRAIN.replace("3", "6"), "5-dimensional embeddings cannot give 6"),
    ],
)
def test_too_little_data_is_told_with_both_numbers(refused, command, problem):
    assert problem in refused(command)


def relabel(speaker_of):
    utt2spk = read_table("data/utt2spk")
    names = {u: speaker_of(i, u, s) for i, (u, s) in enumerate(utt2spk.items())}
    write_table("data/utt2spk", names)


@pytest.mark.parametrize(
    ("speaker_of", "steps", "problem"),
    [
        (lambda i, utt, spk: utt, "lda,plda", "24 speakers with one utterance each"),
        (lambda i, utt, spk: utt, "plda", "24 speakers with one utterance each"),
        (lambda i, utt, spk: "x", "plda", "there is one speaker"),
        (
            lambda i, utt, spk: "xyz"[i % 3],
            "lda,plda",
            "at most 2 dimensions, not in 3",
        ),
    ],
)
def test_too_few_speakers_are_counted(refused, speaker_of, steps, problem):
    relabel(speaker_of)
    command = BACKEND_TRAIN.replace("--lda-dim", f"--steps {steps} --lda-dim")
    assert problem in refused(command)


def test_a_speaker_with_one_utterance_is_legal(accepted):
    relabel(lambda i, utt, spk: "lonely" if i == 0 else spk)
    said = accepted(BACKEND_TRAIN)
    assert "24 utterances of 7 speakers, 1 of them with one utterance" in said


def write_ivectors(change):
    arrays = dict(read_arrays("exp/ivectors/ivector.scp"))
    with ArkWriter("exp/ivectors", "ivector") as writer:
        for utt, ivector in arrays.items():
            writer[utt] = change(ivector)


@pytest.mark.parametrize("steps", ["lda,plda", "plda"])
def test_i_vectors_that_are_all_the_same_are_refused(refused, steps):
    write_ivectors(np.ones_like)
    command = BACKEND_TRAIN.replace("--lda-dim", f"--steps {steps} --lda-dim")
    assert "all embeddings are the same" in refused(command)


# Ids and trials.


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("feats.scp", READ_FRAMES),
        ("vad.scp", READ_FRAMES),
        ("utt2spk", ["trials-make data exp/new", BACKEND_TRAIN]),
    ],
)
def test_an_id_that_comes_twice_is_named_with_its_line(refused, name, commands):
    table = Path("data", name)
    first = table.read_text().splitlines(keepends=True)[0]
    table.write_text(first + table.read_text())
    for command in commands:
        line = refused(command)
        assert f"data/{name}:2: key 'spk0001-01-01' appears a second time" in line


def test_unsorted_ids_are_legal_and_validation_tells_them(accepted, capsys):
    for name in ("feats.scp", "vad.scp", "utt2spk"):
        table = Path("data", name)
        table.write_text("".join(reversed(table.read_text().splitlines(True))))
    for command in [*READ_FRAMES, BACKEND_TRAIN]:
        accepted(command.replace("exp/new", f"exp/new_{command.split()[0]}"))
    assert main(["data-validate", "data"]) == 1
    assert "sorted as LC_ALL=C sorts" in capsys.readouterr().err
    assert main(["data-validate", "--fix", "true", "data"]) == 0


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "nobody spk0001-01-01 target",
            "not in scp:exp/ivectors/ivector.scp: 'nobody'",
        ),
        (
            "a b nontraget",
            "trials:277: expected target, nontarget or spoof, got 'nontraget'",
        ),
        ("a b", "trials:277: expected three words, got 'a b'"),
    ],
)
def test_bad_trials_are_named(refused, line, problem):
    with Path("data/trials").open("a") as stream:
        stream.write(f"{line}\n")
    assert f"{problem}" in refused(BACKEND_SCORE)
    assert "data/trials" in refused("score-metrics data/trials exp/scores")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda x: x[:3],
            "expected vectors of 5 dimensions, as exp/backend takes, got 3",
        ),
        (lambda x: x * np.nan, "'spk0001-01-01' holds NaN or infinity"),
    ],
)
def test_bad_i_vectors_are_refused(refused, change, problem):
    write_ivectors(change)
    assert problem in refused(BACKEND_SCORE)


# Models.


def overwrite_largest_array(model):
    """Change four bytes of its data, which only the zip file's checksum can tell."""
    with zipfile.ZipFile(io.BytesIO(model)) as file:
        largest = max(file.infolist(), key=lambda member: member.file_size)
    end = largest.header_offset + largest.file_size
    return model[: end - 4] + b"!!!!" + model[end:]


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda model: model[: len(model) // 2], "not an asdkit model, or damaged"),
        (lambda model: b"", "not an asdkit model, or damaged"),
        (lambda model: b"no model", "not an asdkit model, or damaged"),
        (lambda model: Path("array.npy").read_bytes(), "not an asdkit model"),
        (overwrite_largest_array, "not an asdkit model, or damaged"),
        (lambda model: Path("exp/calibration").read_bytes(), "got 'Calibration'"),
    ],
    ids=["cut", "empty", "text", "npy", "flipped", "kind"],
)
def test_a_bad_model_is_named(refused, harm, problem):
    np.save("array.npy", np.zeros(3))
    for path, command in [
        ("exp/ubm/ubm.npz", IVECTOR_TRAIN),
        ("exp/extractor/extractor.npz", IVECTOR_EXTRACT),
        ("exp/backend", BACKEND_SCORE),
    ]:
        Path(path).write_bytes(harm(Path(path).read_bytes()))
        line = refused(command)
        assert f"error: {path}: " in line
        assert problem in line
        assert "pickle" not in line


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("exp/ubm/ubm.npz", IVECTOR_TRAIN),
        ("exp/extractor/extractor.npz", IVECTOR_EXTRACT),
        ("exp/backend", BACKEND_SCORE),
        ("exp/calibration", "score-calibrate exp/calibration exp/scores exp/new"),
    ],
)
def test_a_model_that_lacks_an_array_names_it(refused, path, command):
    with np.load(path) as file:
        arrays = dict(file)
    assert len(arrays) > 2
    for name in arrays.keys() - {"asdkit", "seen_"}:  # files of old lack seen_
        with Path(path).open("wb") as stream:
            np.savez(stream, **{k: x for k, x in arrays.items() if k != name})
        assert f"error: {path}: it lacks {name!r}" in refused(command)


# Missing files.

GOOD = {
    "backend": "exp/backend",
    "audio": str(AUDIO),
    "checkpoint": "exp/gmm",
    "cm_dir": "exp/bayes/train",
    "cohort": "scp:exp/ivectors/ivector.scp",
    "data_dir": "data",
    "dev_dir": "data_spoof",
    "dev_utt2attack": "data_spoof/utt2attack",
    "dev_vectors": "scp:exp/stats/embedding.scp",
    "exp_dir": "exp",
    "expdir": "exp",
    "extractor_dir": "exp/extractor",
    "frames": "exp/ivectors/ivector.scp",
    "layout": "aasist",
    "list": "data/trials",
    "model": "exp/calibration",
    "model_dir": "exp/gmm",
    "name": "ann",
    "net_dir": "exp/net",
    "root": "wav",
    "scores": "exp/scores",
    "systems": "exp/scores",
    "source": "data",
    "train_dir": "data_spoof",
    "train_utt2attack": "data_spoof/utt2attack",
    "kind": "det",
    "train_vectors": "scp:exp/stats/embedding.scp",
    "trials": "data/trials",
    "ubm_dir": "exp/ubm",
    "utt2spk": "data/utt2spk",
    "vectors": "scp:exp/ivectors/ivector.scp",
}
NO_INPUT = {"doctor", "nnet-info", "speakers-draw"}
NO_OUTPUT = {
    "compare",
    "cost-table",
    "data-validate",
    "detect",
    "enroll",
    "identify",
    "kaldi-parity",
    "leak-check",
    "model-info",
    "plot",
    "profile-list",
    "profile-remove",
    "report",
    "results",
    "score-check",
    "score-metrics",
    "verify",
}
TWO_OUTPUTS = {
    *("codec-apply", "noise-add", "room-apply"),
    *("spoof-simulate", "spoof-splice"),
}
OPTIONS = {
    "cm-localize": "--decode false",  # without k2
    "cm-train": "--batch-size 8",
    # The bundle is what is missing; tests/inference/test_bundle.py has one.
    "detect": "--model exp/missing",
    "enroll": "--model exp/missing --profiles exp/people",
    "identify": "--model exp/missing --profiles exp/people",
    "profile-list": "--model exp/missing --profiles exp/people",
    "profile-remove": "--profiles exp/missing",
    "verify": "--model exp/missing",
    "spoof-prepare": "--corpus asvspoof2019_la --part dev",
    "spoof-simulate": "--attacks lpc",
}
NETWORK_FIRST = {"cm-localize", "nnet-extract", "ssl-extract"}  # and there is none


def inputs():
    """Yield every program and every positional argument that it reads."""
    for name in sorted(programs().keys() - NO_INPUT):
        parser = argparse.ArgumentParser()
        module = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
        module.add_arguments(parser)
        places = [x.dest for x in parser._actions if not x.option_strings]
        num_outputs = 0 if name in NO_OUTPUT else 1 + (name in TWO_OUTPUTS)
        end = len(places) - num_outputs
        for place in places[:end]:
            if name in NETWORK_FIRST and place == "data_dir":
                continue
            if name == "tandem-fuse":
                continue  # here are no spoofs; tests/bin does it
            if place in ("kind", "layout") or (
                place == "name" and name != "profile-remove"
            ):
                continue  # a name, no file
            yield pytest.param(name, places, end, place, id=f"{name}-{place}")


@pytest.mark.parametrize(("name", "places", "end", "missing"), list(inputs()))
def test_a_missing_input_is_named(refused, name, places, end, missing):
    words = [GOOD[place] for place in places[:end]]
    at = places.index(missing)
    words[at] = "scp:exp/missing" if words[at].startswith("scp:") else "exp/missing"
    words += [f"exp/new{n}" for n in range(len(places) - end)]
    words += ["exp/other"] if name == "compare" else []  # which is read last
    options = OPTIONS.get(name, "").split()
    assert "exp/missing" in refused(" ".join([name, *options, *words]))


# Options.


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            UBM_TRAIN,
            "num-gauss=0 num-gauss=x num-gauss=1.5 num-init-iters=-1 num-diag-iters=-1 "
            "num-full-iters=-1 num-gselect=0 min-gaussian-weight=2 num-frames=0 "
            "subsample=0 delta-window=0 delta-order=-1 cmn-window=-5 seed=-1",
        ),
        (
            IVECTOR_TRAIN,
            "ivector-dim=0 ivector-dim=1 num-iters=0 num-iters=-1 min-post=2 "
            "gaussian-min-count=nan variance-floor-factor=0 num-gselect=0 "
            "max-cached-gb=-1 seed=-1",
        ),
        (
            BACKEND_TRAIN,
            "lda-dim=0 lda-dim=-1 total-covariance-factor=nan covariance-floor=0 "
            "num-iters=0 smoothing=nan steps=lda steps=",
        ),
        (
            "feats-compute data exp/new",
            "sample-frequency=nan frame-length=0 frame-length=inf frame-shift=-1 "
            "dither=-1 preemphasis-coefficient=2 num-ceps=0 num-mel-bins=0 "
            "low-freq=nan",
        ),
        (
            "vad-compute data exp/new",
            "vad-proportion-threshold=1 vad-frames-context=-1 vad-energy-threshold=nan",
        ),
        (
            "calibration-train data/trials exp/scores exp/new",
            "p-target=0 p-target=1.5 ridge=-1",
        ),
        (
            "speakers-draw exp/new exp/new_wav",
            "num-spks=0 mean-sec=0 mean-sec=inf seed=-1 sample-frequency=1",
        ),
        ("data-subset data exp/new", "per-spk=-1 longest=-1 random=-1 seed=-1"),
        ("kaldi-import data exp/new", "channel=-1 sampling-rate=-1 min-post=2"),
        ("backend-adapt exp/backend scp:x exp/new", "within-covar-scale=-1"),
    ],
)
def test_an_option_out_of_range_is_wrong_usage(refused, command, options):
    name, *rest = command.split()
    for option in options.split():
        line = refused(" ".join([name, *rest, f"--{option}"]), code=2)
        assert f"argument --{option.partition('=')[0]}: expected " in line
        assert f"got {option.partition('=')[2]}" in line.replace("'", "")


@pytest.mark.parametrize("name", sorted(programs()))
def test_defaults_lie_in_their_own_ranges(name):
    parser = argparse.ArgumentParser()
    module = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
    module.add_arguments(parser)
    for action in parser._actions:
        takes_value = bool(action.option_strings) and action.nargs != 0
        if takes_value and isinstance(action.default, int | float):
            text = str(action.default)
            text = text.lower() if isinstance(action.default, bool) else text
            assert action.type(text) == action.default


# A full disk, and signals.


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("feats-compute data exp/mfcc", "exp/mfcc/feats.ark"),
        ("feats-compute data exp/new", "exp/new/feats.ark"),
        ("ubm-train --num-gauss 4 data exp/ubm", "exp/ubm/ubm.npz"),
        (IVECTOR_TRAIN, "exp/new/checkpoint.npz"),
        (IVECTOR_EXTRACT, "exp/new/ivector.ark"),
        (BACKEND_TRAIN, "exp/new"),
        (BACKEND_SCORE, "exp/new"),
        ("data-subset --per-spk 1 data exp/new", "exp/new"),
        ("kaldi-export exp/extractor/extractor.npz exp/new", "exp/new"),
    ],
)
def test_a_full_disk_is_told_with_the_file(refused, command, path):
    """No file may grow beyond 200 bytes: as if the disk were full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        line = refused(command)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"error: {path}" in line
    assert line.endswith(": File too large")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_and_the_stage_runs_again(chain, number):
    before = contents()
    command = [sys.executable, "-m", "asdkit"]
    again = "ubm-train --num-gauss 4 --num-full-iters {} data exp/new"
    process = subprocess.Popen(
        [*command, *again.format(99999).split()], stderr=subprocess.PIPE, text=True
    )
    try:
        for line in process.stderr:
            if "FullGmm: iter 3/" in line:
                break
        process.send_signal(number)
        rest = process.communicate(timeout=20)[1].splitlines()
    finally:
        process.kill()  # where signals are ignored it would go on for hours
    assert process.returncode == 130
    said = [line for line in rest if " INFO [" not in line]
    assert said == ["asdkit ubm-train: interrupted; nothing half-written"]
    assert contents() == before
    assert main(again.format(1).split()) == 0


def test_ranks_whose_peer_fails_tidy_up_and_end(chain):
    """One used to wait for the other until it was killed, and left its archive."""
    spoil_feats(set_one(np.nan))
    launcher = "-m torch.distributed.run --standalone --nproc-per-node 2 -m asdkit"
    command = [sys.executable, *launcher.split(), *IVECTOR_EXTRACT.split()]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode != 0
    assert f"{UTT!r} holds NaN or infinity" in done.stderr
    assert "forcefully exiting" not in done.stderr  # torchrun's words for killing
    assert not [path for path in Path("exp").rglob("*") if path.name.startswith(".")]
    assert not list(Path("exp/new").glob("*"))
