import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.metrics.eer import eer

LIFTS = {"a0": 1.5, "a1": 1.6, "a2": 1.5, "b0": 3.0, "b1": 3.1, "b2": 3.0, "c": 1.5}


@pytest.fixture
def corpus(tmp_path, monkeypatch, rng):
    """Trials of 20 speakers, and utterances of a CM corpus; scores of both."""
    monkeypatch.chdir(tmp_path)
    spk = np.repeat(np.arange(20), 3)
    is_target = spk[None] == np.arange(20)[:, None]
    utts = [f"s{s}-{n}" for n, s in enumerate(spk)]
    write("utt2spk", [f"{u} s{s}" for u, s in zip(utts, spk, strict=True)])
    write("utt2attack", [f"{u} {attack(n)}" for n, u in enumerate(utts)])
    pairs = [(m, n) for m in range(20) for n in range(60)]
    word = {True: "target", False: "nontarget"}
    write("trials", [f"s{m} {utts[n]} {word[is_target[m, n]]}" for m, n in pairs])
    shared = rng.normal(size=is_target.shape)
    for name, lift in LIFTS.items():
        x = lift * is_target + shared + 0.5 * rng.normal(size=shared.shape)
        lines = [f"s{m} {utts[n]} {x[m, n]:.6f}" for m, n in pairs]
        write(name, [lines[at] for at in rng.permutation(len(lines))])
        y = lift * np.array([attack(n) == "bonafide" for n in range(60)]) + shared[0]
        write(f"cm_{name}", [f"{u} {v:.6f}" for u, v in zip(utts, y, strict=True)])
    write(
        "asv_trials",
        [
            f"s{s} {u} {asv_key(n)}"
            for n, (s, u) in enumerate(zip(spk, utts, strict=True))
        ],
    )
    values = [3.0 * (asv_key(n) != "nontarget") for n in range(60)] + shared[1]
    write(
        "asv",
        [f"s{s} {u} {v:.5f}" for s, u, v in zip(spk, utts, values, strict=True)],
    )


def attack(n):
    return "bonafide" if n % 3 else "A01"


def asv_key(n):
    return ("spoof", "target", "nontarget")[n % 3]


def write(path, lines):
    with open(path, "w") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def lines_of(path):
    return Path(path).read_text().splitlines()


def tables(capsys, arguments):
    assert command.main(["compare", "--json", *arguments.split()]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys, arguments):
    assert command.main(["compare", *arguments.split()]) == 1
    lines = [x for x in capsys.readouterr().err.splitlines() if " INFO " not in x]
    return "\n".join(lines)


def test_trials_end_in_a_verdict_for_each_pair_and_metric(corpus, capsys):
    systems, pairs = tables(capsys, "trials A=a0,a1,a2 B=b0,b1,b2 c")
    assert [row["seeds"] for row in systems["rows"]] == [3, 3, 1]
    assert [(row["system"], row["against"]) for row in pairs["rows"]] == [
        *[("B", "A")] * 2,
        *[("c", "A")] * 2,
    ]
    assert pairs["rows"][0]["verdict"] == "better"
    assert pairs["rows"][2]["verdict"] == "cannot be told"
    assert len(pairs["notes"]) == 5
    assert pairs["notes"][0].endswith(
        "after Holm correction for 4 comparisons): better."
    )
    assert pairs["notes"][4].endswith("left out: c.")


def test_a_system_has_the_mean_of_what_score_metrics_prints_of_its_seeds(
    corpus, capsys
):
    systems, _ = tables(capsys, "trials A=a0,a1 c")
    assert command.main(["score-metrics", "--json", "trials", "a0", "a1"]) == 0
    (alone,) = json.loads(capsys.readouterr().out)
    for title in ("EER %", "minDCF(0.01)"):
        mean = np.mean([row[title] for row in alone["rows"]])
        assert systems["rows"][0][title]["value"] == pytest.approx(mean, rel=1e-12)


def test_speakers_of_both_sides_are_drawn_where_they_are_known(corpus, capsys):
    """Who speaks is in utt2spk beside the trials; without it, models are drawn."""
    given = tables(capsys, "--utt2spk utt2spk trials a0 b0")
    assert given == tables(capsys, "trials a0 b0")
    Path("alone").mkdir()
    shutil.copy("trials", "alone")
    of_models = tables(capsys, "alone/trials a0 b0")
    change = [found[1]["rows"][0]["difference"] for found in (given, of_models)]
    assert change[0]["value"] == change[1]["value"]
    assert change[0]["interval"] != change[1]["interval"]


def test_all_pairs_are_each_with_every_one_before(corpus, capsys):
    _, pairs = tables(capsys, "--all-pairs true trials a0 b0 c")
    names = [(row["system"], row["against"]) for row in pairs["rows"][::2]]
    assert names == [("b0", "a0"), ("c", "a0"), ("c", "b0")]
    assert len(pairs["rows"]) == 6


def test_countermeasures_are_compared_by_eer(corpus, capsys):
    systems, pairs = tables(capsys, "utt2attack cm_a0 cm_b0")
    scores = [float(line.split()[1]) for line in lines_of("cm_b0")]
    classes = [
        np.array([x for n, x in enumerate(scores) if (attack(n) == "bonafide") == kind])
        for kind in (True, False)
    ]
    assert systems["rows"][1]["EER %"]["value"] == pytest.approx(100 * eer(*classes))
    assert [row["metric"] for row in pairs["rows"]] == ["EER %"]
    assert "40 bonafide and 20 spoof trials of 20 speakers" in systems["notes"][0]


def test_with_an_asv_system_there_is_the_tdcf_of_the_flavor(corpus, capsys):
    options = "--flavor asvspoof2021 --asv-scores asv --asv-trials asv_trials"
    systems, _ = tables(capsys, f"{options} utt2attack cm_a0 cm_b0")
    command.main(f"score-metrics --json {options} utt2attack cm_a0".split())
    (alone,) = json.loads(capsys.readouterr().out)
    title = "min t-DCF(2021)"
    assert systems["rows"][0][title]["value"] == pytest.approx(alone["rows"][0][title])


def test_the_same_seed_prints_the_same(corpus, capsys):
    first, second, other = (
        tables(capsys, f"--seed {seed} trials A=a0,a1 B=b0,b1") for seed in (0, 0, 1)
    )
    assert first == second != other


def test_no_line_is_wider_than_a_terminal(corpus, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert command.main(["compare", "trials", "A=a0,a1", "B=b0,b1", "c"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "comparisons): better." in " ".join(lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("trials a0", "expected two systems or more, got 1"),
        ("trials a0 a0", "a0: this file is given twice"),
        ("trials A=a0,a1 B=./a0", "./a0: this file is given twice, first as a0"),
        ("trials A=a0 A=a1", "two systems are called 'A'"),
        ("trials =a0 b0", "expected PATH, PATH,PATH or NAME=PATH,PATH; got '=a0'"),
        ("trials a0, b0", "expected PATH, PATH,PATH or NAME=PATH,PATH; got 'a0,'"),
        ("trials a0 none", "none: cannot read it: No such file"),
        ("trials A=a0,copy b0", "copy: a seed of 'A' with the same scores as a0"),
        ("trials a0 short", "trials: 1 of 1200 pairs have no score in short: 's"),
        ("trials a0 other", "other: 1 of 1201 pairs have no trial in trials: 'x y'"),
        ("--bootstrap 50 trials a0 b0", "50 draws cannot give p <= 0.05"),
        ("--asv-scores asv trials a0 b0", "trials of verification take no --asv-sc"),
        (
            "elsewhere/few a_few b_few",
            "expected two speakers or more to draw from, got one",
        ),
        ("utt2attack cm_a0 cm_short", "s19-59"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(corpus, capsys, arguments, said):
    lines = {name: lines_of(name) for name in ("a0", "b0", "cm_b0")}
    write("copy", lines["a0"][::-1])
    write("short", lines["b0"][1:])
    write("other", [*lines["b0"], "x y 1.0"])
    write("cm_short", lines["cm_b0"][:-1])
    few = [line for line in lines_of("trials") if line.startswith("s0 ")]
    Path("elsewhere").mkdir()  # where nothing says who speaks in the test utterances
    write("elsewhere/few", few)
    for name in ("a0", "b0"):
        kept = [line for line in lines[name] if line.startswith("s0 ")]
        write(f"{name[0]}_few", kept)
    found = refusal(capsys, arguments)
    assert said in found
    errors = [line for line in found.splitlines() if ": error: " in line]
    assert len(errors) == 1
    assert "Traceback" not in found


def test_a_comparison_is_a_page_too(corpus, capsys):
    options = ["--html", "pages/compare.html", "--bootstrap", "200"]
    assert command.main(["compare", *options, "trials", "a0", "c"]) == 0
    page = Path("pages/compare.html").read_text()
    verdict = capsys.readouterr().out.splitlines()[-2].split(":")[0]
    assert verdict.split(" (")[0] in page
