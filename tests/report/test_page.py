"""Pages: one file, all of it escaped."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from asdkit.report.page import Section, evaluation_section, render, write_page

EVIL = "</script><script>alert(1)</script>"


class Outline(HTMLParser):
    """Check that elements end as they begin, and collect headings and ids."""

    def __init__(self):
        super().__init__()
        self.open, self.levels, self.ids, self.scripts = [], [], [], 0

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.ids += [value for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag not in ("meta", "input", "br", "line", "path", "polyline", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(page):
    found = Outline()
    found.feed(page)
    return found


def test_a_page_is_well_formed_with_headings_in_order_and_ids_once(found):
    section = evaluation_section(found, "e0", 50)
    page = render("Title", [section, Section("p", "Other", "text")])
    seen = outline(page)
    assert seen.open == []
    assert len(set(seen.ids)) == len(seen.ids)
    assert seen.levels[0] == 1
    assert all(b - a <= 1 for a, b in zip(seen.levels, seen.levels[1:], strict=False))
    assert "http" not in re.sub(r'"http://www.w3.org[^"]*"', "", page)


def test_names_cannot_become_markup(found):
    found.systems[0].name = EVIL
    found.test[:] = [EVIL] * len(found.test)
    section = evaluation_section(found, "e0", 0)
    section = section._replace(data=[EVIL], title=EVIL)
    page = render(EVIL, [section])
    assert outline(page).scripts == 2
    data = re.search(r'id="data">(.*?)</script>', page, re.S)[1]
    assert json.loads(data) == {"e0": [EVIL]}


def test_too_few_draws_for_a_comparison_are_said(found):
    page = render("T", [evaluation_section(found, "e0", 20)])
    assert "So few draws" in page
    assert "comes next, at" in page


def test_a_page_is_written_as_a_whole(tmp_path):
    write_page(tmp_path / "a/report.html", render("T", []))
    assert Path(tmp_path, "a/report.html").read_text().startswith("<!DOCTYPE html>")
