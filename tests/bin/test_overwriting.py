"""No program replaces what it reads: audio, features, models, scores, manifests."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import read_table

DRAW = "--num-spks 2 --num-sessions 2 --utts-per-session 2 --mean-sec 0.6"
# Every spelling of the folder exp/wav, where the audio of data/test lies.
SPELLINGS = ["exp/wav", "./exp//wav", "exp/../exp/wav", "linked", "copied"]


def contents():
    """Everything under the current directory."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path().rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Features, i-vectors, back-end, scores and calibration of a drawn corpus."""
    here, before = tmp_path_factory.mktemp("overwriting"), Path.cwd()
    os.chdir(here)
    try:
        for command in [
            f"speakers-draw {DRAW} data/test exp/wav",
            "trials-make data/test data/test/trials",
            "feats-compute --num-ceps 8 data/test exp/mfcc",
            "vad-compute data/test exp/vad",
        ]:
            assert main(command.split()) == 0, command
        rng = np.random.default_rng(0)
        with ArkWriter("exp/stats", "embedding") as writer:
            for utt, spk in read_table("data/test/utt2spk").items():
                writer[utt] = int(spk[3:]) + rng.normal(size=3)
        for command in [
            "backend-train --steps center,length-norm,plda data/test/utt2spk"
            " scp:exp/stats/embedding.scp exp/backend.npz",
            "backend-score exp/backend.npz data/test/trials"
            " scp:exp/stats/embedding.scp exp/scores",
            "calibration-train data/test/trials exp/scores exp/calibration.npz",
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
    Path("linked").symlink_to("exp/wav")
    shutil.copytree("exp/wav", "copied", copy_function=os.link)


@pytest.fixture
def refused(here, capsys):
    """Run a command that must fail and change nothing; return its error."""

    def run(command):
        before = contents()
        capsys.readouterr()
        assert main(command.split()) == 1, command
        lines = capsys.readouterr().err.splitlines()
        lines = [x for x in lines if " INFO [" not in x and " WARNING [" not in x]
        assert len(lines) <= 2, lines
        assert contents() == before
        return lines[0]

    return run


@pytest.mark.parametrize("audio_dir", SPELLINGS)
@pytest.mark.parametrize(
    "program", ["noise-add --snr-db 0", "codec-apply --codecs alaw", "room-apply"]
)
def test_source_audio_is_not_replaced_by_its_changed_copy(program, audio_dir, refused):
    error = refused(f"{program} data/test data/out {audio_dir}")
    assert "/spk0001/spk0001-01-01.flac: this is read" in error
    assert "would be replaced" in error


@pytest.mark.parametrize("audio_dir", ["exp/wav", "linked"])
def test_source_audio_is_not_replaced_by_a_spoof(audio_dir, refused):
    """The second time, what the first has made is in the directory that is read."""
    spoof = "spoof-simulate --attacks lpc"
    assert main(f"{spoof} data/test data/spoof exp/wav".split()) == 0
    assert "would be replaced" in refused(f"{spoof} data/spoof data/out {audio_dir}")


def test_source_audio_is_not_replaced_by_a_splice(refused):
    splice = "spoof-splice --max-sec 0.2 --with-bonafide false"
    for command in [
        "spoof-simulate --attacks lpc data/test data/spoof exp/spoof",
        f"{splice} data/spoof data/spliced exp/spliced",
        "data-combine data/spoof data/spliced data/all",
    ]:
        assert main(command.split()) == 0, command
    assert "would be replaced" in refused(f"{splice} data/all data/out exp/spliced")


def test_recorded_noise_is_not_replaced_by_what_it_was_added_to(refused):
    assert main(["noise-add", "data/test", "data/noisy", "exp/noisy"]) == 0
    add = "noise-add --noises data/test data/noisy data/out exp/wav"
    assert "would be replaced" in refused(add)


@pytest.mark.parametrize(
    "command",
    [
        "noise-add data/test data/test exp/noisy",
        "codec-apply data/test data/../data/test exp/coded",
        "room-apply data/test tested exp/rooms",
        "spoof-simulate data/test data/test exp/spoof",
        "spoof-splice data/test data/test exp/spliced",
        "data-copy data/test data/test",
        "data-subset --random 2 data/test tested",
        "data-combine data/test data/test",
        "data-export --prefix-speaker true data/test tested",
    ],
)
def test_a_data_directory_is_not_replaced_by_what_is_made_of_it(command, refused):
    Path("tested").symlink_to("data/test")
    assert "expected another directory than the input" in refused(command)


@pytest.mark.parametrize(
    "command",
    [
        # scores, and what they are scores of
        "score-calibrate exp/calibration.npz exp/scores exp/scores",
        "score-calibrate exp/calibration.npz exp/scores exp/../exp/calibration.npz",
        "score-fuse exp/calibration.npz exp/scores linked_exp/scores",
        "score-normalize exp/backend.npz scp:exp/stats/embedding.scp"
        " scp:exp/stats/embedding.scp exp/scores exp/scores",
        "backend-score exp/backend.npz data/test/trials"
        " scp:exp/stats/embedding.scp data/test/trials",
        "backend-score exp/backend.npz data/test/trials"
        " scp:exp/stats/embedding.scp exp/stats/embedding.ark",
        # models
        "backend-score exp/backend.npz data/test/trials"
        " scp:exp/stats/embedding.scp exp/backend.npz",
        "backend-adapt exp/backend.npz scp:exp/stats/embedding.scp exp/backend.npz",
        "calibration-train data/test/trials exp/scores exp/scores",
        "backend-train --steps cosine data/test/utt2spk scp:exp/stats/embedding.scp"
        " data/test/utt2spk",
        "kaldi-export plda .",
        # features and tables
        "stats-extract data/feats data/feats",
        "trials-make data/test data/test/utt2spk",
    ],
)
def test_an_output_does_not_replace_an_input(command, refused):
    Path("linked_exp").symlink_to("exp")
    shutil.copy("exp/backend.npz", "plda")
    # Features whose archive has the name that stats-extract gives to its own.
    shutil.copytree("data/test", "data/feats")
    lines = Path("data/test/feats.scp").read_text()
    lines = lines.replace("exp/mfcc/feats.ark", "data/feats/embedding.ark")
    Path("data/feats/feats.scp").write_text(lines)
    shutil.copy("exp/mfcc/feats.ark", "data/feats/embedding.ark")
    assert "would be replaced" in refused(command)


def test_the_network_to_start_from_is_not_replaced(
    noise_corpus, small_training, capsys
):
    """It is known before a step is made."""
    train = ["nnet-train", *small_training]
    assert main([*train, "data/train", "exp/net"]) == 0
    network = Path("exp/net/network.pt")
    before = network.read_bytes()
    for step in Path("exp/net").glob("checkpoint.*"):
        step.unlink()
    Path("again").symlink_to("exp/net")
    for directory in "exp/net", "again":
        start = ["--init-from", "exp/net/network.pt"]
        assert main([*train, *start, "data/train", directory]) == 1
        assert "network.pt: this is read" in capsys.readouterr().err
        assert network.read_bytes() == before
        assert not list(Path("exp/net").glob("checkpoint.*"))
    assert main([*train, *start, "data/train", "exp/other"]) == 0


def test_what_an_earlier_run_wrote_is_written_again(here):
    for _ in range(2):
        for command in [
            "noise-add data/test data/noisy exp/noisy",
            "feats-compute data/noisy exp/mfcc_noisy",
            "vad-compute data/noisy data/noisy",  # beside the table itself
            "kaldi-import data/test data/test",
            "data-validate --fix true data/test",
            "score-calibrate exp/calibration.npz exp/scores exp/llrs",
            "kaldi-export exp/backend.npz kaldi",
            "kaldi-import kaldi/plda exp/imported.npz",
        ]:
            assert main(command.split()) == 0, command


@pytest.mark.slow
def test_two_ranks_do_not_replace_what_either_reads(here):
    before = contents()
    launch = "-m torch.distributed.run --standalone --nproc-per-node 2 -m asdkit"
    add = "noise-add data/test data/out linked"
    done = subprocess.run(
        [sys.executable, *launch.split(), *add.split()], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "asdkit noise-add: error: linked/" in done.stderr
    assert "would be replaced" in done.stderr
    assert contents() == before
