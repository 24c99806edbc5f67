"""The browser that tests of pages use: it sees what is wrong with one, and what not."""

import pytest

pytestmark = pytest.mark.browser

GOOD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A</title>
<link rel="icon" href="data:,"></head>
<body><main><h1>Scores</h1><label>File <input type="file"></label></main></body></html>
"""
BAD = """<!doctype html><html><body style="width: 2000px"><img src="none.png">
<script>console.error("oh no"); missing()</script></body></html>
"""


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "good.html").write_text(GOOD)
    (tmp_path / "bad.html").write_text(BAD)
    return tmp_path


def test_faults_of_a_page_are_seen(browser, pages):
    page = browser()
    page.open(pages / "bad.html", width=390)
    errors = "\n".join(page.errors)
    assert "oh no" in errors
    assert "missing is not defined" in errors
    assert "ERR_FILE_NOT_FOUND" in errors
    assert any(x.startswith("image-alt") for x in page.axe())
    assert page.overflow() > 1500


def test_a_good_page_has_none_in_any_theme(browser, pages):
    page = browser()
    for theme, is_dark in (("light", False), ("dark", True)):
        page.open(pages / "good.html", width=390, theme=theme)
        query = "matchMedia('(prefers-color-scheme: dark)').matches"
        assert page.evaluate(query) == is_dark
        assert (page.errors, page.axe(), page.overflow()) == ([], [], 0)
    page.choose_files("input", pages / "bad.html")
    assert page.evaluate("document.querySelector('input').files[0].name") == "bad.html"
    page.press("Tab")
    assert page.evaluate("document.activeElement.type") == "file"
    page.screenshot(pages / "page.png")
    assert (pages / "page.png").read_bytes().startswith(b"\x89PNG")
