import re

import pytest

from asdkit.countermeasures import checks
from asdkit.countermeasures.keys import read_cm_key
from asdkit.data.problems import Report

FLAVOR = "asvspoof2019"


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch, rng):
    """A key of 100 utterances, good scores, and ASV scores."""
    monkeypatch.chdir(tmp_path)
    attacks = ["bonafide", "A07", "A08", "A08"] * 25
    labels = {a: "- bonafide" if a == "bonafide" else f"{a} spoof" for a in attacks}
    write("key", [f"s1 LA_E_{i} - {labels[a]}" for i, a in enumerate(attacks)])
    values = rng.normal(size=100) + [3 * (a == "bonafide") for a in attacks]
    write("scores", [f"LA_E_{i} {value:.5f}" for i, value in enumerate(values)])
    asv = [f"{a} spoof {rng.normal():.3f}" for a in attacks if a != "bonafide"]
    asv += [f"bonafide target {3 + rng.normal():.3f}" for _ in range(30)]
    asv += [f"bonafide nontarget {rng.normal():.3f}" for _ in range(30)]
    write("asv", asv)
    return tmp_path


def read(name):
    with open(name) as stream:
        return stream.read().splitlines()


def write(name, lines):
    with open(name, "w") as stream:
        stream.writelines(line + "\n" for line in lines)


def check(name="scores", **options):
    """Check a file; return what it says, and the problems as one text."""
    report = Report()
    said = checks.check_cm("key", FLAVOR, name, report, **options)
    return said, "\n".join(map(str, report.problems())), report.num_problems


def test_good_scores_are_described():
    said, problems, count = check()
    assert (problems, count) == ("", 0)
    assert said.startswith("scores: 25 bonafide, 75 spoof, EER ")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x: x[:-1], "there is no score for 'LA_E_99'"),
        (lambda x: [*x, "LA_E_100 1"], "'LA_E_100' is not in the key"),
        (lambda x: [*x, x[0]], "scores:101: 'LA_E_0' comes a second time"),
        (lambda x: [*x, "LA_E_A3794758 1"], "'LA_E_A3794758' is there to enroll"),
        (lambda x: ["utt score", *x], "this looks like a header; leave it out"),
        (lambda x: [y.replace(" ", ",") for y in x], "by blanks or tabs, not by ','"),
        (lambda x: [*x[:9], "LA_E_9 nan", *x[10:]], "scores:10: .* is nan"),
        (lambda x: [*x[:9], "LA_E_9 -inf", *x[10:]], "scores:10: .* is -inf"),
        (lambda x: [*x[:9], "LA_E_9", *x[10:]], "scores:10: expected 2 words, got"),
        (lambda x: [*x[:9], "LA_E_9 high", *x[10:]], "scores:10: expected a score"),
        (lambda x: [y.split()[0] + " 1" for y in x], "all 100 scores are 1"),
        (
            lambda x: [f"{y.split()[0]} {float(y.split()[1]) > 1.5:d}" for y in x],
            "different scores: these are decisions",
        ),
        (
            lambda x: [
                f"{y.split()[0]} {z.split()[1]}"
                for y, z in zip(x, [x[-1], *x], strict=False)
            ],
            "the scores look shifted, 1 row too low: EER",
        ),
        (
            lambda x: [f"{y.split()[0]} {-float(y.split()[1])}" for y in x],
            "EER 9[0-9] %: the sign looks flipped\n  cure: higher must mean bonafide",
        ),
    ],
)
def test_every_problem_is_named_with_a_cure(change, problem):
    write("scores", change(read("scores")))
    _, problems, count = check()
    assert count >= 1
    assert re.search(problem, problems), problems
    assert problems.count("cure: ") == len(problems.splitlines()) / 2


def test_ids_that_differ_by_one_thing_are_one_problem():
    """A suffix made 142,474 of 71,237 utterances."""
    write("scores", [line.replace(" ", ".flac ") for line in read("scores")])
    _, problems, count = check()
    assert count == 1
    assert "100 ids differ by a suffix, as 'LA_E_0.flac' and 'LA_E_0'" in problems


def test_a_check_reads_on():
    lines = read("scores")
    write("scores", [*lines[2:], "LA_E_5 nan", "x y", "other 1"])
    said, problems, count = check()
    assert count == 2 + 2 + 1 + 1
    assert "EER" in said
    for part in ("no score", "second time", "is nan", "expected a score", "not in the"):
        assert part in problems


@pytest.mark.parametrize("text", ["s1 enrolled,other", "s1 enrolled other"])
def test_a_list_tells_what_is_there_to_enroll(text):
    write("enroll", [text])
    write("scores", [*read("scores"), "enrolled 1"])
    assert "'enrolled' is not in the key" in check()[1]
    assert "'enrolled' is there to enroll" in check(enrollment="enroll")[1]


def test_labels_in_2019s_format_are_compared_with_the_key():
    rows = zip(read("key"), read("scores"), strict=True)
    lines = []
    for key, score in rows:
        _, utt, _, attack, kind = key.split()
        lines.append(f"{utt} {attack} {kind} {score.split()[1]}")
    write("scores", lines)
    assert check()[2] == 0
    write("scores", [line.replace("A07 spoof", "A06 spoof") for line in lines])
    _, problems, count = check()
    assert count == 25
    assert "scores:2: it says A06 spoof, the key says A07" in problems


def check_asv(name="asv"):
    report = Report()
    said = checks.check_asv(name, None, FLAVOR, read_cm_key("key", FLAVOR), report)
    return said, "\n".join(map(str, report.problems()))


def test_good_asv_scores_are_described():
    said, problems = check_asv()
    assert problems == ""
    assert said.startswith("asv: 30 target, 30 nontarget, EER ")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x: [y.replace("A08", "A01") for y in x], "A07, A08; got A01, A07"),
        (lambda x: x[6:], "are these the ASV scores of another year, track or part?"),
        (
            lambda x: [f"{y.rpartition(' ')[0]} {-float(y.split()[2])}" for y in x],
            "the sign looks flipped\n  cure: higher must mean target",
        ),
    ],
)
def test_asv_scores_of_something_else_are_noticed(change, problem):
    write("asv", change(read("asv")))
    assert problem in check_asv()[1]


def test_verification_scores(golden):
    report = Report()
    trials = golden / "data/test/trials"
    said = checks.check_verification(trials, golden / "scores/plda_scores", report)
    assert said.endswith("36 target, 240 nontarget, EER 22.15 %")
    assert report.num_problems == 0
    lines = [line.split() for line in read(golden / "scores/plda_scores")]
    write("flipped", [f"{a} {b} {-float(c)}" for a, b, c in lines])
    checks.check_verification(trials, "flipped", report)
    assert "EER 78 %" in str(report.problems()[0])
    write("short", [" ".join(line) for line in lines[1:]])
    checks.check_verification(trials, "short", report)
    assert "1 of 276 pairs have no score" in str(report.problems()[1])


def test_pairs_with_spoofs():
    keys = ["target", "nontarget", "spoof"] * 10
    write("trials", [f"s u{i} {k}" for i, k in enumerate(keys)])
    good = [f"s u{i} {3 * (k == 'target') + i / 99}" for i, k in enumerate(keys)]
    write("good", good)
    assert checks.are_pairs("good")
    assert not checks.are_pairs("scores")
    assert not checks.are_pairs("missing")
    report = Report()
    checks.check_pairs("trials", FLAVOR, "good", report)
    assert report.num_problems == 0
    write("short", good[1:])
    checks.check_pairs("trials", FLAVOR, "short", report)
    assert "1 of 30 pairs have no score" in str(report.problems()[0])
