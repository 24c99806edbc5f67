"""What is derived from audio or utterances is refused once these are others."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.origins import ORIGINS
from asdkit.io.tables import read_table, write_table

DRAW = "speakers-draw --num-spks 3 --num-sessions 2 --utts-per-session 2 --mean-sec 0.6"
FEATS = "feats-compute --num-ceps 8 data exp/mfcc"
VAD = "vad-compute data exp/vad"
TRIALS = "trials-make data data/trials"
UBM = "ubm-train --num-gauss 2 data exp/ubm"
IVECTORS = "ivector-extract data exp/extractor exp/ivectors"
TRAIN = (
    "nnet-train --network resnet18 --channels 4 --embedding-dim 8 --chunk-frames 20"
    " --batch-size 8 --num-epochs 1 --device cpu data"
)
EMBED = "nnet-extract data exp/net exp/embeddings"
BACKEND = "--steps center,length-norm,cosine data/utt2spk scp:exp/ivectors/ivector.scp"
SCORE = "exp/backend.npz data/trials scp:exp/ivectors/ivector.scp exp/scores"
# Programs that read features, each with what it writes.
STATS = "stats-extract data exp/stats"
READERS = [UBM, IVECTORS, VAD, STATS, f"{TRAIN} exp/new", EMBED]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A drawn corpus; its features, models, vectors and scores."""
    here, before = tmp_path_factory.mktemp("origins"), Path.cwd()
    os.chdir(here)
    try:
        for command in [
            *(f"{DRAW} data wav", TRIALS, FEATS, VAD, UBM),
            "ivector-train --ivector-dim 2 --num-iters 1 data exp/ubm exp/extractor",
            *(IVECTORS, f"backend-train {BACKEND} exp/backend.npz"),
            *(f"backend-score {SCORE}", f"{TRAIN} exp/net"),
        ]:
            assert main(command.split()) == 0, command
    finally:
        os.chdir(before)
    return here


@pytest.fixture
def here(finished, tmp_path, monkeypatch):
    """A copy of it to spoil, as the current directory."""
    shutil.copytree(finished, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def run(here, capsys):
    """Run a command; return its exit code and what it says besides INFO."""

    def run(command):
        capsys.readouterr()
        code = main(command.split())
        lines = capsys.readouterr().err.splitlines()
        return code, "\n".join(line for line in lines if " INFO [" not in line)

    return run


def done(command):
    assert main(command.split()) == 0, command


def spoil_one(change):
    """Change the audio of one utterance; the manifests do not tell."""
    path = sorted(Path("wav").rglob("*.flac"))[3]
    samples, rate = soundfile.read(path)
    soundfile.write(path, change(samples), rate)


NEW_AUDIO = {
    "noise-add": lambda: done("noise-add copy data noisy"),
    "another seed": lambda: done(f"{DRAW} --seed 5 data wav"),
    "another import": lambda: done("kaldi-import noisy data"),
    "other files": lambda: spoil_one(lambda x: 0.3 * x[::-1]),
}


@pytest.fixture
def others(here):
    """The same corpus elsewhere, and with noise, to come over the first."""
    done("data-copy data copy")
    done("noise-add --snr-db 3 copy noisy noisy_wav")
    Path("noisy", "trials").unlink()


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("how", NEW_AUDIO)
def test_features_of_other_audio_are_refused(how, command, others, run):
    NEW_AUDIO[how]()
    code, said = run(command)
    assert code == 1
    assert "data/feats.scp: " in said
    assert "of other audio" in said or "audio of data has changed" in said
    assert "hint: asdkit feats-compute computes it again" in said
    done(FEATS)
    code, said = run(command)
    if command in (UBM, IVECTORS, STATS):
        assert "data/vad.scp: " in said  # which has not been computed again
        assert code == 1
        done(VAD)
        code, said = run(command)
    assert (code, said) == (0, "")


@pytest.mark.parametrize("how", NEW_AUDIO)
def test_vectors_of_other_audio_are_refused(how, others, run):
    NEW_AUDIO[how]()
    for command in (f"backend-train {BACKEND} exp/new.npz", f"backend-score {SCORE}"):
        code, said = run(command)
        assert code == 1
        assert "exp/ivectors/ivector.scp: " in said or "data/trials: " in said
    assert run("data-validate data")[0] == 1
    for command in (TRIALS, FEATS, VAD, IVECTORS):
        done(command)
    assert run(f"backend-score {SCORE}") == (0, "")
    assert run("data-validate data") == (0, "")


def test_what_is_the_same_again_stays(run):
    """A recipe can be run again from any stage."""
    for again in (f"{DRAW} data wav", "kaldi-import data data", FEATS, VAD, TRIALS):
        assert run(again) == (0, "")
        for command in (*READERS, f"backend-score {SCORE}", "data-validate data"):
            assert run(command) == (0, "")
            shutil.rmtree("exp/new", ignore_errors=True)


def test_other_names_and_texts_are_not_other_audio(run):
    manifests = read_manifests("data")
    for item in manifests.supervisions.values():
        item.speaker, item.text = "x", "something"
    write_manifests("data", *(x.values() for x in manifests))
    assert run(IVECTORS) == (0, "")
    code, said = run(f"backend-score {SCORE}")
    assert code == 1
    assert "data/trials: it is of other utterances or speakers" in said


def test_audio_that_is_gone_proves_nothing(run):
    shutil.rmtree("wav")
    for command in (*READERS, f"backend-score {SCORE}"):
        assert run(command) == (0, "")
        shutil.rmtree("exp/new", ignore_errors=True)


def test_a_copy_on_another_disk_is_known(run):
    """Neither times nor places are compared."""
    shutil.copytree("data", "elsewhere")
    shutil.copytree("wav", "copied", copy_function=shutil.copyfile)
    shutil.rmtree("wav")
    Path("copied").rename("wav")
    assert run(IVECTORS.replace("data", "elsewhere")) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        "data-copy data new",
        "data-copy --utt-prefix x- data new",
        "data-subset --random 9 data new",
        "data-combine data data2 new",
    ],
)
def test_parts_and_copies_know_their_origin_too(command, run):
    done("data-copy --utt-prefix y- data data2")
    assert run(command) == (0, "")
    assert run(IVECTORS.replace("data", "new")) == (0, "")
    spoil_one(np.zeros_like)
    for name in ("data", "new"):
        code, said = run(IVECTORS.replace("data", name))
        assert code == 1
        assert f"the audio of {name} has changed" in said
    # Nor is what is stale handed on.
    assert run(command.replace(" new", " newer"))[0] == 1
    assert not Path("newer").exists()


def test_a_repaired_directory_knows_its_origin_too(run):
    manifests = read_manifests("data")
    next(iter(manifests.supervisions.values())).duration = 0.01
    write_manifests("data", *(x.values() for x in manifests))
    for command in (FEATS, VAD):  # of all but one
        done(command)
    assert run("data-validate --fix true data") == (0, "")
    assert len(read_manifests("data").supervisions) == 11
    assert run(IVECTORS) == (0, "")
    spoil_one(np.zeros_like)
    Path("data/utt2dur").unlink()
    code, said = run("data-validate --fix true data")
    assert code == 1
    assert "data/feats.scp: the audio of data has changed" in said
    assert run(IVECTORS)[0] == 1


def test_features_without_a_note_are_used_with_one_warning(run):
    """Kaldi's, or of a version that noted nothing."""
    for path in Path().rglob(ORIGINS):
        path.unlink()
    for command in READERS:
        code, said = run(command)
        shutil.rmtree("exp/new", ignore_errors=True)
        assert code == 0
        assert said.count("\n") == 0
        assert " WARNING [origins" in said
        assert "origins: data: there is no record of what feats.scp" in said
        for path in Path().rglob(ORIGINS):
            path.unlink()
    code, said = run(f"backend-score {SCORE}")
    assert code == 0
    assert "origins: exp/ivectors: there is no record of what ivector.scp" in said


def test_a_table_that_somebody_replaced_is_unknown_not_stale(run):
    with ArkWriter("kaldi", "feats") as writer:
        for utt, feats in read_arrays("scp:data/feats.scp"):
            writer[utt] = feats
    write_table("data/feats.scp", read_table(writer.scp))
    code, said = run(IVECTORS)
    assert code == 0
    assert "there is no record of what feats.scp was derived from" in said


def test_unknown_features_that_are_left_behind_are_of_the_old_audio(others, run):
    for path in Path().rglob(ORIGINS):
        path.unlink()
    code, said = run("kaldi-import noisy data")
    assert code == 0
    assert "feats.scp and vad.scp" in said
    code, said = run(IVECTORS)
    assert code == 1
    assert "data/feats.scp: it is of other audio" in said


def test_an_archive_that_was_written_over_is_noticed(others, run):
    """The same ids and offsets, in the archive of another directory."""
    assert run(FEATS.replace("data", "noisy")) == (0, "")
    code, said = run(IVECTORS)
    assert code == 1
    assert "data/feats.scp: the archive that it lists, of exp/mfcc/feats.scp" in said


def test_spoofs_are_made_again_when_their_sources_are_others(run):
    simulate = "spoof-simulate --attacks lpc data spoofed spoofed_wav"
    done(simulate)
    before = {path: path.read_bytes() for path in Path("spoofed_wav").rglob("*.flac")}
    times = {path: path.stat().st_mtime_ns for path in before}
    done(simulate)
    assert times == {path: path.stat().st_mtime_ns for path in before}
    spoil_one(lambda x: 0.3 * x[::-1])
    done(simulate)
    after = {path: path.read_bytes() for path in before}
    assert sum(before[path] != after[path] for path in before) == 1


def test_a_training_is_not_resumed_on_other_features(run):
    done("feats-compute --num-ceps 8 --seed 5 data exp/mfcc")
    code, said = run(f"{TRAIN} exp/net")
    assert code == 1
    assert "made with data.content = 'features with checksum" in said
    done(FEATS)
    assert run(f"{TRAIN} exp/net") == (0, "")


def test_a_training_is_not_resumed_on_other_audio(run):
    train = TRAIN.replace("nnet-train", "nnet-train --features fbank")
    done(f"{train} exp/audio")
    assert run(f"{train} exp/audio") == (0, "")
    spoil_one(lambda x: 0.3 * x[::-1])
    code, said = run(f"{train} exp/audio")
    assert code == 1
    assert "made with data.content = 'audio with checksum" in said


def test_a_damaged_note_is_one_line(run):
    for text in ("", "[]", '{"tables": {"feats.scp": 5}}', '{"tables": 5}', "\xff"):
        Path("data", ORIGINS).write_text(text)
        code, said = run(IVECTORS)
        assert code == 1
        assert f"data/{ORIGINS}: not a note of origins" in said
    Path("data", ORIGINS).write_text(json.dumps({"tables": {}}))
    assert run(IVECTORS)[0] == 0
