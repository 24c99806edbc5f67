"""egs/speechocean762 as a user runs it, on a corpus of eleven voices."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.io.tables import read_table
from asdkit.simulation.corpus import DrawnCorpus

ROOT = Path(__file__).parents[2]
NUM_SPKS = {"train": 6, "test": 5}
TRIALS = 36 + 15  # pairs of 9 utterances of men and of 6 of women
TINY = """\
--network=xvector
--channels=8
--embedding-dim=8
--batch-size=8
--num-epochs=1
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Draw a corpus in the layout of its own: train/ test/ and WAVE/."""
    root = tmp_path_factory.mktemp("corpus")
    for part, num_spks in NUM_SPKS.items():
        drawn = DrawnCorpus(num_spks, 1, 3, mean_sec=1.5, prefix=part)
        wav_scp, utt2spk, spk2gender = [], [], {}
        for utterance in drawn.utterances():
            path = f"WAVE/SPEAKER{utterance.spk}/{utterance.utt}.flac"
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / path, drawn.speak(utterance), 16000)
            wav_scp.append(f"{utterance.utt}\t{path}\n")
            utt2spk.append(f"{utterance.utt}\t{utterance.spk}\n")
            spk2gender[utterance.spk] = f"{utterance.spk}\t{utterance.gender}\n"
        (root / part).mkdir()
        (root / part / "wav.scp").write_text("".join(wav_scp))
        (root / part / "utt2spk").write_text("".join(utt2spk))
        (root / part / "spk2gender").write_text("".join(spk2gender.values()))
    return root


@pytest.fixture
def recipes(tmp_path, copied):
    """Copy the recipes and what they source; return the directory of both."""
    here = copied(tmp_path, "speechocean762")
    (here / "v2" / "conf" / "tiny.conf").write_text(TINY)
    return here


def run(recipe, *options):
    command = ["./run.sh", *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def systems(table):
    """Read the first column: the names of the score files."""
    return re.findall(r"^\S*scores_(\w+) ", table, re.MULTILINE)


def num_trials(recipe):
    (path,) = (recipe / "data").rglob("trials")
    return len(path.read_text().splitlines())


@pytest.mark.slow
def test_v1_ends_in_a_table_of_all_same_gender_pairs(corpus, recipes, by_stage):
    sizes = ["--num-gauss", "4", "--ivector-dim", "6", "--num-iters", "1"]
    table = by_stage(recipes / "v1", "--corpus", corpus, "--lda-dim", "4", *sizes)
    assert systems(table) == ["plda", "whitened_cosine", "cosine"]
    assert num_trials(recipes / "v1") == TRIALS


@pytest.mark.slow
def test_v1_adds_noise_to_all_of_the_audio(corpus, recipes):
    v1 = recipes / "v1"
    run(v1, "--corpus", corpus, "--snr-db", "0", "--stop-stage", "1")
    for part, num_spks in NUM_SPKS.items():
        before = read_table(v1 / "data" / "kaldi" / "clean" / part / "wav.scp")
        after = read_table(v1 / "data" / "kaldi" / part / "wav.scp")
        assert len(after) == 3 * num_spks
        for utt, path in after.items():
            clean, noisy = (soundfile.read(v1 / x)[0] for x in (before[utt], path))
            gain = clean @ noisy / (clean @ clean)  # noise that would clip lowers both
            noise = noisy - gain * clean
            snr_db = 20 * np.log10(gain * np.linalg.norm(clean) / np.linalg.norm(noise))
            assert abs(snr_db) < 1
    assert (v1 / "data" / "kaldi" / "test" / "vad.scp").exists()


@pytest.mark.slow
def test_v2_ends_in_a_table_before_and_after_as_norm(corpus, recipes, by_stage):
    options = ["--net", "tiny", "--lda-dim", "4", "--seed", "1"]
    table = by_stage(recipes / "v2", "--corpus", corpus, *options)
    expected = ["cosine", "cosine_as_norm", "plda", "plda_as_norm"]
    assert systems(table) == expected
    assert num_trials(recipes / "v2") == TRIALS
    assert (recipes / "v2" / "exp" / "tiny_seed1" / "network.pt").exists()


def run_tuned(corpus, recipes):
    """Let v1 train the extractor that v3 and v4 learn from."""
    sizes = "--num-gauss 4 --subsample 1 --ivector-dim 6 --num-iters 1"
    tuned = ["--name", "tuned", "--vad-energy-threshold", "1", *sizes.split()]
    run(recipes / "v1", "--corpus", corpus, *tuned, "--stop-stage", "3")


@pytest.fixture
def teachers(corpus, recipes):
    """Let v1 and v2 make what v3 wants of them; give the options that make it small."""
    run_tuned(corpus, recipes)
    run(recipes / "v2", "--corpus", corpus, "--net", "tiny", "--stop-stage", "2")
    conf = recipes / "v3" / "conf"
    (conf / "tiny.conf").write_text(TINY)
    for name in ("plda", "target_lda"):
        with (conf / f"{name}.conf").open("a") as file:
            file.write("--lda-dim=4\n")
    return ["--large", "../v2/exp/tiny_seed0", "--students", "tiny"]


@pytest.mark.slow
def test_v3_makes_its_table_of_what_v1_and_v2_left_and_continues_when_killed(
    recipes, teachers, forked
):
    v3 = recipes / "v3"
    names = ["precision:weight_100", "decoupled_kd:gamma_2"]
    grid = [*teachers, "--objectives", " ".join(names), "--seeds", "0"]
    tiny = v3 / "exp" / "tiny"
    first, second = (tiny / name.replace(":", "/") / "seed0" for name in names)
    command, env = ["./run.sh", *grid], os.environ | {"PATH": forked}
    with subprocess.Popen(command, cwd=v3, env=env, start_new_session=True) as grown:
        while grown.poll() is None and not list(second.glob("checkpoint*")):
            time.sleep(0.01)
        os.killpg(grown.pid, signal.SIGKILL)
    assert grown.returncode == -signal.SIGKILL
    assert not (second / "plda.eer").exists()
    table = run(v3, "--stage", "6", *grid)
    assert rows_of(table) == 2 * ["ivectors", "large", "tiny, precision:weight_100"]

    written = (first / "plda.eer").stat().st_mtime_ns
    table = run(v3, "--stage", "5", *grid)
    assert rows_of(table)[3::4] == 2 * ["tiny, decoupled_kd:gamma_2"]
    assert (first / "plda.eer").stat().st_mtime_ns == written
    assert len(list((v3 / "exp" / "teacher_cache").rglob("*.npz"))) == 2  # batches
    assert re.search(r"^exp/tiny/\S+ +[\d,]+ ", table, re.MULTILINE)
    page = (v3 / "exp" / "report.html").read_text()
    students = ["tiny/precision/weight_100/seed0", "tiny/decoupled_kd/gamma_2/seed0"]
    for name in ("ivectors", "large", *students):
        for backend in ("cosine", "plda"):
            assert f"<span>{name}/scores_{backend}.npz</span>" in page


def rows_of(table):
    """Read the names of v3's systems."""
    return re.findall(r"^\| ([^|]+?) \| \d", table, re.MULTILINE)


@pytest.mark.slow
def test_v4_screens_on_training_speakers_and_compares_on_others(corpus, recipes):
    run_tuned(corpus, recipes)
    v4 = recipes / "v4"
    (v4 / "conf" / "tiny.conf").write_text(TINY + "--features=fbank\n")
    for name in ("plda", "target_lda"):
        with (v4 / "conf" / f"{name}.conf").open("a") as file:
            file.write("--lda-dim=2\n")
    small = ["--student", "tiny", "--sets", "full 1s 5dB", "--seeds", "0"]
    small += ["--hold-out", "2"]
    chosen = ["--screened", "none lda_ratio", "--tested", "none classes_plda"]
    said = run(v4, *small, *chosen)
    screened, tested = ["lda_ratio", "none"], ["classes_plda", "none"]
    assert rows_of(said) == ["ivectors", *screened, "ivectors", *tested]
    speakers = {
        part: set(read_table(v4 / "data" / part / "utt2spk").values())
        for part in ("fit", "dev", "train", "test")
    }
    assert speakers["fit"] | speakers["dev"] == speakers["train"]
    assert not speakers["fit"] & speakers["dev"]
    assert not speakers["train"] & speakers["test"]
    compared = re.findall("^classes_plda +none +EER %", said, re.MULTILINE)
    assert len(compared) == 3, said
