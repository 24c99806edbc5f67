import shutil

import numpy as np
import pytest

from asdkit import __main__ as command


def test_golden_eers(golden, tmp_path, capsys):
    scores = []
    for name in ("plda_scores", "cos_scores"):  # results.json is left beside them
        scores.append(str(shutil.copy(golden / "scores" / name, tmp_path)))
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


@pytest.fixture
def corpus(tmp_path, monkeypatch, rng):
    """A data directory with two attacks, CM scores and ASV scores."""
    monkeypatch.chdir(tmp_path)
    attacks = ["bonafide", "bonafide", "A07", "A08"] * 25
    keys = ["target", "nontarget", "spoof", "spoof"] * 25
    files = {
        "utt2attack": [f"u{i} {a}" for i, a in enumerate(attacks)],
        "utt2spk": [f"u{i} s{i % 7}" for i in range(100)],
        "asv_trials": [f"s{i % 7} u{i} {k}" for i, k in enumerate(keys)],
        "cm": [
            f"u{i} {2 * (a == 'bonafide') + rng.normal():.5f}"
            for i, a in enumerate(attacks)
        ],
        "asv": [
            f"s{i % 7} u{i} {3 * (k != 'nontarget') + rng.normal():.5f}"
            for i, k in enumerate(keys)
        ],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("".join(line + "\n" for line in lines))


def lines_of(capsys, arguments):
    assert command.main(["score-metrics", *arguments.split()]) == 0
    return capsys.readouterr().out.splitlines()


ASV = "--asv-scores asv --asv-trials asv_trials"


@pytest.mark.parametrize(
    ("flavor", "year"),
    [("asvspoof2019", "2019"), ("asvspoof2021", "2021"), ("asvspoof5", "2021")],
)
def test_a_flavor_has_one_form_of_the_tdcf(corpus, capsys, flavor, year):
    head, *rows, asv = lines_of(capsys, f"--flavor {flavor} {ASV} utt2attack cm")
    assert head.count("t-DCF") == head.count(f"t-DCF({year})") == 1
    conditions = "pooled", "attack A07", "attack A08"
    for row, condition in zip(rows, conditions, strict=True):
        assert f"  {condition}  " in row
    assert asv.startswith("ASV: EER ")
    assert ("floor" in asv) == (year == "2021")


def test_without_an_asv_system_there_is_no_tdcf(corpus, capsys):
    assert "t-DCF" not in lines_of(capsys, "--flavor asvspoof2019 utt2attack cm")[0]


def test_pairs_with_spoofs_have_three_eers(corpus, capsys):
    head = lines_of(capsys, "--flavor asvspoof5 asv_trials asv")[0]
    for title in ("SASV-EER %", "SV-EER %", "SPF-EER %", "a-DCF(ASVspoof 5)"):
        assert title in head


def test_bootstrap_adds_intervals_and_differences(corpus, capsys):
    options = "--flavor asvspoof2019 --by none --bootstrap 50 --seed 1"
    first, same = (lines_of(capsys, f"{options} utt2attack cm") for _ in range(2))
    assert first == same
    assert first[1].count("[") == 2  # EER and Cllr; minCllr has none
    with open("cm") as cm, open("other", "w") as other:
        other.writelines(line.replace(".", "9.") for line in cm)
    *_, gain = lines_of(capsys, f"{options} utt2attack cm other")
    assert gain.startswith("other - cm ")


def test_options_of_spoofing_are_refused_elsewhere(golden, capsys):
    paths = [str(golden / "data/test/trials"), str(golden / "scores/plda_scores")]
    assert command.main(["score-metrics", "--asv-scores", "x", *paths]) == 1
    assert "--flavor kaldi takes no --asv-scores" in capsys.readouterr().err


def warnings(capsys):
    lines = capsys.readouterr().err.splitlines()
    return [line.partition("] ")[2] for line in lines if " WARNING " in line]


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda x: [-y for y in x], "the sign looks flipped; higher must mean target"),
        (lambda x: [x[-1], *x[:-1]], "the scores look shifted, 1 row too low: EER"),
        (
            lambda x: [y * (-1) ** (i < 300) for i, y in enumerate(x)],
            "in rows 1 to 300",
        ),
        (lambda x: [float(y > 2) for y in x], "these are decisions; write what is"),
        (lambda x: [0.5] * len(x), "all 600 scores are 0.5; were all inputs empty"),
        (lambda x: [float("inf"), *x[1:]], "1 of 600 scores are infinite"),
    ],
)
def test_scores_that_mislead_are_warned_of(tmp_path, capsys, rng, change, warning):
    is_target = rng.random(600) < 0.2
    good = (rng.normal(size=600) + 4 * is_target).tolist()
    for name, values in (("good", good), ("bad", change(good))):
        lines = [f"a t{i} {value:.5f}\n" for i, value in enumerate(values)]
        (tmp_path / name).write_text("".join(lines))
    keys = np.where(is_target, "target", "nontarget")
    lines = "".join(f"a t{i} {key}\n" for i, key in enumerate(keys))
    (tmp_path / "trials").write_text(lines)
    arguments = [str(tmp_path / name) for name in ("trials", "good", "bad")]
    assert command.main(["score-metrics", *arguments]) == 0
    (said,) = warnings(capsys)
    assert said.startswith(f"{tmp_path}/bad: ")
    assert warning in said
    # Both programs share the examination.
    assert command.main(["score-check", *arguments]) == 1
    assert said.partition(": ")[2].partition("; ")[0] in capsys.readouterr().err


def test_rows_are_those_of_the_score_file(tmp_path, capsys, rng):
    """Here the file is sorted, and the trials are not."""
    is_target = rng.random(600) < 0.2
    values = np.roll(rng.normal(size=600) + 4 * is_target, 1)
    lines = [f"a t{i:03d} {value:.5f}\n" for i, value in enumerate(values)]
    (tmp_path / "scores").write_text("".join(lines))
    keys = np.where(is_target, "target", "nontarget")
    lines = [f"a t{i:03d} {keys[i]}\n" for i in rng.permutation(600)]
    (tmp_path / "trials").write_text("".join(lines))
    arguments = [str(tmp_path / name) for name in ("trials", "scores")]
    assert command.main(["score-metrics", *arguments]) == 0
    (said,) = warnings(capsys)
    assert "the scores look shifted, 1 row too low" in said


def test_a_file_that_contradicts_its_key_is_warned_of(corpus, capsys):
    with open("cm") as cm, open("four", "w") as four:
        for line in cm:
            utt, score = line.split()
            four.write(f"{utt} A09 spoof {score}\n")
    lines_of_four = "--flavor asvspoof2019 --by none utt2attack four"
    assert command.main(["score-metrics", *lines_of_four.split()]) == 0
    (said,) = warnings(capsys)
    assert "four: 100 of 100 lines contradict the key, line 1: A09 spoof, the " in said
    assert "the key says bonafide; is it the score file of another part?" in said


def test_asv_scores_of_fewer_spoofs_are_warned_of(corpus, capsys):
    with open("asv_trials") as trials, open("asv") as asv:
        rows = list(zip(trials.read().splitlines(), asv, strict=True))
    kept = [(t, s) for i, (t, s) in enumerate(rows) if i not in (2, 6)]
    with open("few_trials", "w") as trials, open("few", "w") as asv:
        trials.writelines(f"{t}\n" for t, _ in kept)
        asv.writelines(s for _, s in kept)
    options = "--asv-scores few --asv-trials few_trials --by none"
    arguments = f"--flavor asvspoof2019 {options} utt2attack cm"
    assert command.main(["score-metrics", *arguments.split()]) == 0
    (said,) = warnings(capsys)
    assert "few: 23 trials of A07, whose 25 utterances" in said


def test_costs_and_digits_are_options(golden, tmp_path, capsys):
    scores = shutil.copy(golden / "scores" / "plda_scores", tmp_path)
    paths = f"{golden}/data/test/trials {scores}"
    options = "--p-target 0.05,0.5 --c-fa 1,10 --digits 6 --flavor voxceleb"
    titles, row = lines_of(capsys, f"{options} {paths}")
    assert titles.split()[:4] == ["scores", "EER", "%", "VoxSRC"]
    for title in ("minDCF(0.05)", "actDCF(0.05)", "minDCF(0.5,1,10)", "actDCF(0.5,1"):
        assert title in titles
    assert row.split()[1] == "22.152778"
    assert command.main(["score-metrics", "--c-miss", "2", *paths.split()]) == 1
    assert "--c-miss needs --p-target" in capsys.readouterr().err


def test_scores_of_a_countermeasure_have_costs_too(corpus, capsys):
    options = "--p-target 0.95 --c-fa 10 --digits 6"
    usual = lines_of(capsys, f"{options} --flavor asvspoof2019 utt2attack cm")
    challenge = lines_of(capsys, "--digits 6 --flavor asvspoof5 utt2attack cm")
    assert "minDCF(0.95,1,10)  actDCF(0.95,1,10)" in usual[0]
    assert usual[1].split()[-4:-2] == challenge[1].split()[2:4]
    paths = ["asv_trials", "asv"]
    arguments = ["--flavor", "asvspoof5", "--p-target", "0.5", *paths]
    assert command.main(["score-metrics", *arguments]) == 1
    assert "scores of pairs are measured by a-DCF" in capsys.readouterr().err
