import gzip

import pytest

from asdkit import __main__ as command
from asdkit.io.trials import read_scores, write_scores


def check(*arguments):
    return command.main(["score-check", *map(str, arguments)])


def test_good_scores_are_described(golden, capsys):
    scores = golden / "scores/plda_scores"
    assert check(golden / "data/test/trials", scores) == 0
    said = capsys.readouterr().out
    assert said == f"{scores}: 36 target, 240 nontarget, EER 22.15 %\n"


def test_what_score_metrics_takes_is_checked(golden, tmp_path, capsys):
    trials, scores = golden / "data/test/trials", golden / "scores/plda_scores"
    text = scores.read_text()
    (tmp_path / "packed.gz").write_bytes(gzip.compress(text.encode()))
    found = read_scores(scores)
    write_scores(tmp_path / "binary.npz", found, found.values)
    words = [line.split() for line in text.splitlines()]
    lines = [f"{score} {enroll} {test}\n" for enroll, test, score in words]
    (tmp_path / "voxsrc").write_text("".join(lines))
    names = [tmp_path / x for x in ("packed.gz", "binary.npz", "voxsrc")]
    assert check(trials, *names) == 0
    for name, line in zip(names, capsys.readouterr().out.splitlines(), strict=True):
        assert line == f"{name}: 36 target, 240 nontarget, EER 22.15 %"


@pytest.fixture
def corpus(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    attacks = ["bonafide", "A07"] * 30
    files = {
        "utt2attack": [f"u{i} {a}" for i, a in enumerate(attacks)],
        "scores": [
            f"u{i} {3 * (a == 'bonafide') + rng.normal():.4f}"
            for i, a in enumerate(attacks)
        ],
        "asv": [f"A07 spoof {rng.normal():.4f}" for _ in range(30)]
        + [f"bonafide target {4 + rng.normal():.4f}" for _ in range(9)]
        + [f"bonafide nontarget {rng.normal():.4f}" for _ in range(9)],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("".join(line + "\n" for line in lines))
    return files


FLAVOR = "--flavor", "asvspoof2019"


def test_a_countermeasure_and_its_asv_system(corpus, capsys):
    assert check(*FLAVOR, "--asv-scores", "asv", "utt2attack", "scores") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("scores: 30 bonafide, 30 spoof, EER ")
    assert second.startswith("asv: 9 target, 9 nontarget, EER ")


def test_all_problems_of_all_files_are_told_at_once(tmp_path, corpus, capsys):
    flipped = [f"{u} {-float(s)}" for u, s in map(str.split, corpus["scores"])]
    (tmp_path / "flipped").write_text("\n".join([*flipped[1:], "other 1"]) + "\n")
    (tmp_path / "asv").write_text("\n".join(corpus["asv"]).replace("A07", "A01"))
    assert check(*FLAVOR, "--asv-scores", "asv", "utt2attack", "flipped") == 1
    said = capsys.readouterr().err
    assert "score-check: error: flipped: 4 problems" in said
    for part in (
        "no score for 'u0'",
        "'other' is not in",
        "their sign flipped",
        "got A01",
    ):
        assert part in said


def test_a_missing_key_is_an_error_of_its_own(corpus, capsys):
    assert check(*FLAVOR, "missing", "scores") == 1
    assert "error: missing: cannot read it" in capsys.readouterr().err
