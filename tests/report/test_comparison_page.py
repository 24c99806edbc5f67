"""The page of a comparison has its verdicts, and curves of every file."""

import re

from asdkit.report.comparison import compare_systems
from asdkit.report.comparison_page import comparison_page


def test_verdicts_intervals_and_curves_are_in_the_page(measured):
    names = [f"reference={measured[0]}", f"<b>={measured[1]}"]
    how = "data/test/trials", names, "asdkit"
    tables = compare_systems(*how, bootstrap=200)
    page = comparison_page(tables, *how)
    assert "&lt;b&gt; has" in page
    assert tables[1].rows[0][4].text in page  # the change, with its interval
    assert len(re.findall(r'id="e0-det-\d"', page)) == 2
    assert "<b>" not in page


def test_seeds_are_files_of_their_own(measured, experiment):
    names = [measured[0], f"net={measured[1]},{experiment('third', 0.7)}"]
    how = "data/test/trials", names, "asdkit"
    page = comparison_page(compare_systems(*how, bootstrap=200), *how)
    assert "net, seed 1" in page
    assert "net, seed 2" in page


def test_countermeasures_have_a_page(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    utts = [(f"u{n}", f"s{n % 8}", ["bonafide", "A01"][n % 3 > 0]) for n in range(96)]
    for name, column in (("utt2spk", 1), ("utt2attack", 2)):
        lines = [f"{utt[0]} {utt[column]}\n" for utt in utts]
        (tmp_path / name).write_text("".join(lines))
    for name, lift in (("a", 1.0), ("b", 2.0)):
        lines = [f"{u} {lift * (x == 'bonafide') + rng.normal()}\n" for u, _, x in utts]
        (tmp_path / name).write_text("".join(lines))
    how = "utt2attack", ["a", "b"], "asvspoof2019"
    page = comparison_page(compare_systems(*how, bootstrap=200), *how)
    assert "Countermeasures: utt2attack" in page
