import numpy as np
import pytest
import soundfile

from asdkit import __main__ as command
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
    def run(words):
        lines = (corpus / "data" / "trials").read_text().splitlines()
        ours = [line.rpartition(" ")[0] + f" {n}" for n, line in enumerate(lines)]
        (corpus / "exp" / "scores").write_text("\n".join(ours) + "\n")

    monkeypatch.setattr(module, "_run", run)
    options = "--trials data/trials --test data --scores W=wespeaker --exp exp"
    argv = f"benchmark {options} --baseline model --bootstrap 100".split()
    assert command.main(argv) == 0
    out = capsys.readouterr().out
    assert "i-vectors" in out
    assert "W" in out


def test_a_program_that_fails_is_named(corpus, capsys):
    options = "--trials data/trials --test data --scores W=wespeaker --exp exp"
    argv = f"benchmark {options} --baseline nothing --bootstrap 100".split()
    assert command.main(argv) == 1
    assert "asdkit trials-score nothing data exp/trials exp/scores: failed with" in (
        capsys.readouterr().err
    )
