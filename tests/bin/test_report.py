"""The report as a reader meets it: in a browser, by keyboard, in both themes."""

from pathlib import Path

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.metrics.eer import eer


@pytest.fixture
def report(tmp_path, monkeypatch, rng):
    """Three systems on trials of twelve speakers, one with a name that is markup."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    pairs = [(m, n) for m in range(12) for n in range(36)]
    word = {True: "target", False: "nontarget"}
    key = [f"s{m:02d} u{n:02d} {word[n % 12 == m]}\n" for m, n in pairs]
    Path("data/trials").write_text("".join(key))
    Path("data/utt2dur").write_text(
        "".join(f"u{n:02d} {1 + n / 9}\n" for n in range(36))
    )
    same = np.array([n % 12 == m for m, n in pairs])
    names = ["good", "fair", "<script>alert(1)<"]
    for lift, name in zip((3.0, 2.0, 1.5), names, strict=True):
        Path("exp", name).mkdir(parents=True)
        x = lift * same - lift / 2 + rng.normal(size=len(pairs))
        rows = zip(pairs, x, strict=True)
        lines = [f"s{m:02d} u{n:02d} {v:.4f}\n" for (m, n), v in rows]
        Path("exp", name, "scores").write_text("".join(lines))
    scores = [f"exp/{name}/scores" for name in names]
    assert main(["score-metrics", "data/trials", *scores]) == 0
    command = ["report", "--bootstrap", "200", "exp", "-o", "report.html"]
    assert main(command) == 0
    return Path("report.html")


def test_numbers_in_the_page_are_those_of_the_scores(report):
    page = report.read_text()
    assert "<script>alert" not in page
    key = [line.split()[2] for line in Path("data/trials").read_text().splitlines()]
    same = np.array([word == "target" for word in key])
    for name in ("good", "fair"):
        lines = Path("exp", name, "scores").read_text().splitlines()
        x = np.array([float(line.split()[2]) for line in lines])
        assert f'data-v="{100 * eer(x[same], x[~same])!r}"' in page
        assert f"{100 * eer(x[same], x[~same]):.4f} [" in page


def test_nothing_to_report_is_one_line(tmp_path, capsys):
    assert main(["report", str(tmp_path), "-o", str(tmp_path / "r.html")]) == 1
    assert capsys.readouterr().err.splitlines()[-2].startswith("asdkit report: error: ")
    assert not (tmp_path / "r.html").exists()


def all_of(selector, expression):
    """Write JavaScript: the values of an expression for all elements x."""
    return f"[...document.querySelectorAll(`{selector}`)].map(x => {expression})"


@pytest.mark.browser
def test_the_page_is_sound_in_a_browser(report, browser):
    page = browser()
    for width in (390, 1280):
        for theme in ("light", "dark"):
            page.open(report, width=width, theme=theme)
            assert page.overflow() == 0, (width, theme)
            page.evaluate(all_of("details", "x.open = true"))
            assert page.overflow() == 0, (width, theme)
            assert page.axe() == [], (width, theme)
            assert page.errors == []

    # The cursor: arrow keys move all systems to one false alarm rate.
    page.evaluate("document.getElementById('e0-at').focus()")
    at = int(page.evaluate("document.getElementById('e0-at').value"))
    assert page.evaluate("document.getElementById('e0-mode').value") == "eer"
    misses = all_of(".cursor td[data-k=m]", "x.innerText")
    alarms = misses.replace("=m]", "=f]")
    before = page.evaluate(misses)
    for _ in range(30):
        page.press("ArrowRight")
    assert page.evaluate("document.getElementById('e0-at').value") == f"{at + 30}"
    assert page.evaluate("document.getElementById('e0-mode').value") == "fa"
    after = page.evaluate(misses)
    assert before != after
    assert len(set(page.evaluate(alarms))) == 1
    dots = page.evaluate(all_of("[data-on=det]", "x.getAttribute('cx')"))
    assert np.ptp([float(x) for x in dots]) < 1

    # Sorting, by keyboard: the second press turns the order round.
    first = "document.querySelector('.systems tbody th span').innerText"
    page.evaluate("document.querySelectorAll('.systems thead button')[1].focus()")
    page.press("Enter", "\r")
    assert page.evaluate(first) != "good"
    page.press("Enter", "\r")
    assert page.evaluate(first) == "good"

    # Boxes hide curves, of the row that they are in.
    page.evaluate("document.querySelector('[data-show=\"0\"]').click()")
    shown = "getComputedStyle(document.getElementById('e0-det-0')).display"
    assert page.evaluate(shown) == "none"
    assert page.errors == []

    # Everything that can be operated is reached by Tab.
    controls = "a, button, input:not(:disabled), select, summary, [tabindex]"
    wanted = sum(page.evaluate(all_of(controls, "x.checkVisibility()")))
    page.evaluate("document.activeElement.blur(); window.seen = new Set()")
    for _ in range(wanted + 5):
        page.press("Tab")
        page.evaluate("seen.add(document.activeElement); 0")
    assert page.evaluate("seen.delete(document.body); seen.size") >= wanted


@pytest.mark.browser
def test_seeds_stay_below_their_system_when_it_is_sorted(report, browser):
    for n, name in enumerate(("good", "fair")):
        Path("exp/net", f"seed{n}").mkdir(parents=True)
        text = Path("exp", name, "scores").read_text()
        Path(f"exp/net/seed{n}/scores").write_text(text)
    scores = [f"exp/net/seed{n}/scores" for n in range(2)]
    assert main(["score-metrics", "data/trials", *scores]) == 0
    command = ["report", "--bootstrap", "0", "exp", "-o", "report.html"]
    assert main(command) == 0
    page = browser()
    page.open(report)
    names = all_of(".systems tbody th", "x.dataset.v")
    before = page.evaluate(names)
    assert before[:1] == ["good"]
    net = before.index("net")
    assert before[net : net + 3] == ["net", "net/seed0", "net/seed1"]
    page.evaluate("document.querySelectorAll('.systems thead button')[1].click()")
    after = page.evaluate(names)
    net = after.index("net")
    assert after[net : net + 3] == ["net", "net/seed1", "net/seed0"]
    assert after[-1] == "good"
    assert page.axe() == []
    assert page.errors == []
