"""egs/own as a user runs it, on a folder of recordings of six voices."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.io.tables import read_table
from asdkit.io.trials import match_scores, read_scores, read_trials
from asdkit.simulation.corpus import DrawnCorpus

ROOT = Path(__file__).parents[2]
OWN = ROOT / "egs" / "own" / "v1"
TINY = "--network=xvector\n--channels=8\n--embedding-dim=8\n--batch-size=32\n"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, copied):
    """Copy the recipe, with a smaller network, and what it sources."""
    here = copied(tmp_path_factory.mktemp("recipe"), "own/v1")
    (here / "conf" / "network.conf").write_text(TINY)
    script = here / "local" / "choose_sizes.py"
    least = "import asdkit.training.sizes as least\n\nleast.FEWEST_MINUTES = 0.5\n"
    least += "least.FEWEST_UTTS = 10\n"
    head, name, rest = script.read_text().partition("MOST_TEST_UTTS")
    script.write_text(head + least + name + rest)
    return here


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    """Six speakers, half with a single long recording, of other rates and formats."""
    root = tmp_path_factory.mktemp("audio") / "my recordings"
    corpus = DrawnCorpus(6, 1, 8, mean_sec=2.5)
    samples: dict[str, list[np.ndarray]] = {}
    for utterance in corpus.utterances():
        samples.setdefault(utterance.spk, []).append(corpus.speak(utterance))
    for number, (spk, parts) in enumerate(samples.items()):
        folder = root / f"speaker {spk}" / "day 1"
        folder.mkdir(parents=True)
        if number % 2:
            pause = np.zeros(8000, np.float32)
            long = np.concatenate([x for part in parts for x in (part, pause)])
            soundfile.write(folder / "interview.ogg", long, 16000)
        else:
            for n, part in enumerate(parts):
                soundfile.write(folder / f"no {n}.flac", np.c_[part, part], 16000)
    (folder / "notes.txt").write_text("not audio")
    return root


def run(recipe, *options):
    """Run the recipe from another folder; return what it prints."""
    command = [recipe / "run.sh", *options]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def printed(recipe, audio):
    """Run the recipe once for all tests; return what it prints."""
    return run(recipe, "--audio", audio, "--split", "4:2", "--max-sec", "4")


def table_of(text):
    """Read the metrics of every score file that the recipe printed."""
    rows = [x.split() for x in text.splitlines() if re.match(r"exp/\S+ +\d", x)]
    return {name: values for name, *values in rows}


SYSTEMS = [
    *(f"exp/ivectors/scores_{backend}" for backend in ("plda", "whitened_cosine")),
    *(f"exp/network_seed0/scores_{backend}" for backend in ("plda", "cosine")),
]


@pytest.mark.slow
def test_one_command_from_recordings_to_error_rates(recipe, printed):
    assert re.search(r"^no audio +1 \.txt +1$", printed, re.M)
    assert list(table_of(printed)) == SYSTEMS
    utt2spk = read_table(recipe / "data" / "cut_train" / "utt2spk")
    assert len(set(utt2spk.values())) == 4
    cut = read_table(recipe / "data" / "cut_train" / "utt2session")
    assert any(re.search(r"interview-\d{4}$", utt) for utt in cut)
    assert "--num-gauss=16 " in (recipe / "exp" / "conf" / "ubm.conf").read_text()
    assert not list(recipe.rglob("*.flac"))  # audio is not copied
    assert (recipe / "exp" / "report.html").exists()


@pytest.mark.slow
def test_a_trained_bundle_is_a_row_beside_the_others(
    recipe, printed, monkeypatch, capsys
):
    """Its scores say little, after one epoch: that they are counted right is tested."""
    pytest.importorskip("onnx")
    monkeypatch.chdir(recipe)
    network = "exp/network_seed0"
    words = ["bundle-make", "--backend", f"{network}/cosine.npz", network, "my bundle"]
    assert main(words) == 0, capsys.readouterr().err
    before = table_of(printed)
    table = table_of(run(recipe, "--stage", "8", "--model", recipe / "my bundle"))
    assert list(table) == [*SYSTEMS, "exp/model/scores"]
    assert {name: table[name] for name in SYSTEMS} == before

    trials = read_trials("data/test/trials")
    scores = read_scores("exp/model/scores")
    assert len(scores) == len(trials)
    values = match_scores(trials, scores, "trials", "scores")
    target, nontarget = values[trials.is_target], values[~trials.is_target]
    *_, num_target, num_nontarget = table["exp/model/scores"]
    assert int(num_target.replace(",", "")) == len(target)
    assert int(num_nontarget.replace(",", "")) == len(nontarget)
    expected = 100 * np.mean(error_rates(target, nontarget))
    assert float(table["exp/model/scores"][0]) == pytest.approx(expected, abs=0.005)
    page = Path("exp/report.html").read_text()
    for name in [*SYSTEMS, "exp/model/scores"]:
        assert f"<span>{name.removeprefix('exp/')}</span>" in page
    assert f"{expected:.2f}" in page


def error_rates(target, nontarget):
    """Miss and false alarm rate where they are nearest, by counting: the EER's."""
    rates = [
        ((target < t).mean(), (nontarget >= t).mean())
        for t in np.unique([*target, *nontarget])
    ]
    return min(rates, key=lambda pair: abs(pair[0] - pair[1]))


@pytest.fixture
def choose(tmp_path, monkeypatch):
    """Run the script that chooses sizes on tables; return what it wrote."""

    def choose(num_train, num_test, num_utts, sessions):
        for part, num_spks in (("train", num_train), ("test", num_test)):
            utts = [
                (f"s{s}-{n}", f"s{s}") for s in range(num_spks) for n in range(num_utts)
            ]
            tables = {
                "utt2spk": [f"{utt} {spk}" for utt, spk in utts],
                "utt2dur": [f"{utt} 6" for utt, _ in utts],
                "utt2session": [
                    f"{utt} {spk}-{k % sessions}" for k, (utt, spk) in enumerate(utts)
                ],
            }
            (tmp_path / part).mkdir()
            for name, lines in tables.items():
                (tmp_path / part / name).write_text("\n".join(lines) + "\n")
        places = [tmp_path / "train", tmp_path / "test", OWN / "conf", tmp_path / "out"]
        script = OWN / "local" / "choose_sizes.py"
        monkeypatch.setattr(sys, "argv", [str(script), *map(str, places)])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(script), run_name="__main__")
        if caught.value.code:
            return None
        return {path.stem: path.read_text() for path in (tmp_path / "out").iterdir()}

    return choose


def test_sizes_and_pairs_follow_from_the_data(choose):
    confs = choose(20, 10, 300, sessions=3)
    assert confs["ubm"].startswith("--num-gauss=2048  # 20 speakers, 6000 utterances")
    assert "--lda-dim=19 " in confs["plda"]
    assert confs["test"] == "--per-spk=150\n"
    assert confs["trials"].startswith("--across=")


def test_a_single_session_is_warned_of(choose, capsys):
    confs = choose(6, 3, 20, sessions=1)
    assert confs["trials"].startswith("#")
    assert "of one session" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("speakers", "words"),
    [((3, 2), "counted 3 speakers, 60 utterances"), ((6, 1), "counted 1 test speaker")],
)
def test_too_little_is_refused_in_one_line(choose, capsys, speakers, words):
    assert choose(*speakers, 20, sessions=1) is None
    err = capsys.readouterr().err.strip().splitlines()
    assert words in " ".join(err)
    assert len(err) <= 2
