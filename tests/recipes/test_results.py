"""Result pages answer first and fit a screen; long tables lie beside them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("egs/*/*/RESULTS.md"))
TABLES = sorted(ROOT.glob("egs/*/*/results/*.tsv"))
LONGEST = 80


def name_of(path):
    return str(path.relative_to(ROOT / "egs"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_of_results_is_short(page):
    assert len(page.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_table_that_a_page_names_is_there_and_no_other(page):
    named = set(re.findall(r"`(?:results/)?(\w+\.(?:tsv|svg))`", page.read_text()))
    assert named == {x.name for x in page.parent.glob("results/*") if x.is_file()}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_rows_of_a_page_s_tables_have_the_cells_of_their_header(page):
    width = None
    for line in page.read_text().splitlines():
        cells = line.count("|") if line.startswith("|") else None
        assert None in (width, cells) or cells == width, line
        width = cells


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_a_table_says_what_it_is_and_has_as_many_cells_in_every_row(table):
    lines = table.read_text().splitlines()
    assert lines[0].startswith("# ")
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(rows) > 1
    assert len(rows[0]) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
