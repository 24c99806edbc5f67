import pytest

from asdkit import __main__ as command


def test_golden_eers(golden, capsys):
    scores = [str(golden / "scores" / name) for name in ("plda_scores", "cos_scores")]
    code = command.main(["score-metrics", str(golden / "data/test/trials"), *scores])
    assert code == 0
    header, plda, cosine = capsys.readouterr().out.splitlines()
    assert header.index("Kaldi EER %") + len("Kaldi EER %") == plda.index("22.2222") + 7
    assert "38.8889" in cosine
    assert plda.split()[-2:] == ["36", "240"]


@pytest.mark.parametrize("key", ["target", "nontarget"])
def test_one_class_is_too_little(tmp_path, capsys, key):
    (tmp_path / "trials").write_text(f"a x {key}\na y {key}\n")
    (tmp_path / "scores").write_text("a x 1\na y 2\n")
    paths = [str(tmp_path / "trials"), str(tmp_path / "scores")]
    assert command.main(["score-metrics", *paths]) == 1
    problem = "trials: expected target and nontarget trials, got"
    assert problem in capsys.readouterr().err


def test_scores_of_other_trials_are_refused(golden, capsys):
    paths = [golden / "data/test/trials", golden / "scores/plda_scores_multi"]
    assert command.main(["score-metrics", *map(str, paths)]) == 1
    assert "36 of 36 pairs have no trial in" in capsys.readouterr().err
