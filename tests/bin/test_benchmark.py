import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit import __main__ as command
from asdkit.io.trials import read_trials, write_scores
from asdkit.report import benchmark as module


@pytest.fixture
def corpus(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    for spk in "abcd":
        (tmp_path / "rec" / spk).mkdir(parents=True)
        for n in range(2):
            soundfile.write(f"rec/{spk}/{n}.wav", rng.normal(size=8000) / 9, 16000)
    for program in ("data-prepare rec data", "trials-make data data/trials"):
        assert command.main(program.split()) == 0
    lines = (tmp_path / "data" / "trials").read_text().splitlines()
    scores = [f"{line} {rng.normal():.4f}" for line in lines]
    theirs = [" ".join(np.array(x.split())[[0, 1, 3, 2]]) for x in scores]
    (tmp_path / "wespeaker").write_text("\n".join(theirs) + "\n")
    return tmp_path


def test_their_scores_come_beside_ours(corpus, monkeypatch, capsys):
    started = []

    def run(words):
        started.append(words)
        if words[0] == "data-subset":
            shutil.copytree(words[1], words[2])
        if words[0] == "trials-score":
            trials = read_trials(words[-2])
            Path(words[-1]).parent.mkdir(parents=True)
            write_scores(words[-1], trials, np.arange(float(len(trials))))

    monkeypatch.setattr(module, "_run", run)
    options = "--trials data/trials --test data --scores W=wespeaker --exp exp"
    argv = f"benchmark {options} --baseline model --bootstrap 100".split()
    assert command.main([*argv, "--p-target", "0.05,0.5", "--digits", "5"]) == 0
    *_, (program, *options), (page, *_) = started
    assert (program, page) == ("score-metrics", "report")
    assert " ".join(options).startswith(
        "--p-target 0.05,0.5 --c-miss 1.0 --c-fa 1.0 exp"
    )
    assert options[-1] == "exp/systems/W/scores.npz"
    *_, header, ours, theirs = capsys.readouterr().out.splitlines()
    assert {"minDCF(0.05)", "actDCF(0.05)", "minDCF(0.5)", "actDCF(0.5)"} <= {
        *header.split()
    }
    assert ours.startswith("exp/systems/i-vectors/scores")
    assert re.match(r"exp/systems/W/scores\S* +\d+\.\d{5} ", theirs)


def test_a_program_that_fails_is_named(corpus, capsys):
    options = "--trials data/trials --test data --scores W=wespeaker --exp exp"
    argv = f"benchmark {options} --baseline nothing --bootstrap 100".split()
    assert command.main(argv) == 1
    command_line = "asdkit trials-score nothing exp/data/test exp/data/test/trials "
    assert f"{command_line}exp/systems/i-vectors/scores.npz: failed with" in (
        capsys.readouterr().err
    )


@pytest.mark.slow
def test_a_page_of_all_systems_from_audio_and_scores_alone(
    tmp_path, monkeypatch, rng, capfd, draw_voices
):
    """Twelve drawn voices; scores as VoxSRC's and WeSpeaker's; nothing is replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("asdkit.training.sizes.FEWEST_MINUTES", 1.0)
    for part, num_spks in (("train", 8), ("test", 4)):
        draw_voices(tmp_path / part, num_spks, 6, 2.0, ".flac")
        assert command.main(["data-prepare", part, f"data/{part}"]) == 0
    assert command.main(["trials-make", "data/test", "data/test/trials"]) == 0
    lines = [x.split() for x in Path("data/test/trials").read_text().splitlines()]
    theirs = [f"{rng.normal() + 4 * (key == 'target'):.4f}" for *_, key in lines]
    rows = list(zip(lines, theirs, strict=True))
    text = "".join(f"{score} {a}.wav {b}.wav\n" for (a, b, _), score in rows)
    Path("voxsrc.gz").write_bytes(gzip.compress(text.encode()))
    text = "".join(f"{a} {b} {score} {key}\n" for (a, b, key), score in rows[::-1])
    Path("wespeaker").write_text(text)
    options = "--train data/train --test data/test --trials data/test/trials --json"
    argv = f"benchmark {options} --exp exp --scores V=voxsrc.gz a/W=wespeaker".split()
    capfd.readouterr()
    assert command.main(argv) == 0
    table, compared, metrics = json.loads(capfd.readouterr().out)
    eers = {row["system"]: row["EER %"]["value"] for row in table["rows"]}
    assert list(eers) == ["i-vectors", "V", "a/W"]
    assert eers["V"] == eers["a/W"]
    assert "of 4 speakers" in str(table["notes"])
    assert len(compared["rows"]) == 4
    rates = [row["EER %"] for row in metrics["rows"]]
    assert rates == pytest.approx([*eers.values()])
    assert all("actDCF(0.01)" in row for row in metrics["rows"])

    assert command.main(["results", "--json", "exp"]) == 0
    (kept,) = [
        x for x in json.loads(capfd.readouterr().out) if x["title"] == "score-metrics"
    ]
    assert {row["output"]: row["EER %"] for row in kept["rows"]} == pytest.approx(
        {
            f"exp/systems/{name}/scores.npz": eers[system]
            for name, system in (("i-vectors",) * 2, ("V", "V"), ("a_W", "a/W"))
        }
    )

    files = ["exp/systems/i-vectors/scores.npz", "voxsrc.gz", "wespeaker"]
    assert command.main(["score-metrics", "--json", "data/test/trials", *files]) == 0
    (measured,) = json.loads(capfd.readouterr().out)
    assert [row["EER %"] for row in measured["rows"]] == pytest.approx([*eers.values()])
    page = Path("exp/report.html").read_text()
    assert len(page) < 500_000
    for name, system in (("i-vectors", "i-vectors"), ("V", "V"), ("a_W", "a/W")):
        assert f"<span>{name}</span>" in page
        assert f'data-v="{eers[system]!r}"' in page
    assert "voxsrc.gz" in page  # where the scores are from, with its hash
