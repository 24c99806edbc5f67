import json
import math

import pytest

from asdkit.base.answers import Cell, Table, as_json, as_text, number

TABLE = Table(
    ["system", "EER %", "Cllr"],
    [
        ["a", number(5.0, ".2f"), number(math.nan)],
        ["long name", "x", number(0.25, "g")],
    ],
    notes=["(a note)"],
)


def test_names_stand_to_the_left_numbers_to_the_right():
    assert str(TABLE).splitlines() == [
        "system     EER %  Cllr",
        "a           5.00     -",
        "long name      x  0.25",
        "(a note)",
    ]


def test_json_has_the_numbers_themselves():
    (table,) = json.loads(as_json(TABLE))
    assert table == {
        "title": "",
        "rows": [
            {"system": "a", "EER %": 5.0, "Cllr": None},
            {"system": "long name", "EER %": "x", "Cllr": 0.25},
        ],
        "notes": ["(a note)"],
    }


def test_infinity_is_no_json():
    text = as_json(Table(["x"], [[Cell("inf", math.inf)]]))
    assert json.loads(text)[0]["rows"] == [{"x": None}]


@pytest.mark.parametrize("num_columns", [1, 7, 40])
def test_a_wide_table_goes_on_below_with_its_names(num_columns):
    titles = [f"column {n}" for n in range(num_columns)]
    cells = [number(float(n), ".3f") for n in range(num_columns)]
    table = Table(["system", "condition", *titles], [["name", "all", *cells]], 2)
    parts = table.text(80).split("\n\n")
    assert max(map(len, table.text(80).splitlines())) <= 80
    assert len(str(table).splitlines()) == 2
    assert (len(parts) == 1) == (num_columns == 1)
    found = []
    for part in parts:
        head, row = part.splitlines()
        assert head.startswith("system  condition  ")
        assert row.startswith("name    all        ")
        found += row.split()[2:]
    assert found == [f"{n:.3f}" for n in range(num_columns)]


def test_a_column_wider_than_the_page_stands_alone():
    table = Table(["system", "wide", "narrow"], [["a", "x" * 90, "1"]])
    assert len(table.text(80).split("\n\n")) == 2


def test_several_tables_have_a_line_between():
    assert as_text([TABLE, TABLE]) == f"{TABLE}\n\n{TABLE}"
    assert as_text("text") == "text"
    assert len(json.loads(as_json([TABLE, TABLE]))) == 2


def test_notes_are_wrapped_on_a_terminal_only():
    note = "B has 12.3 % lower EER than A, " * 5
    table = Table(["system"], [["A"]], notes=[note.strip()])
    lines = table.text(40).splitlines()[2:]
    assert len(lines) > 3
    assert max(map(len, lines)) <= 40
    assert " ".join(lines) == note.strip()
    assert table.text().splitlines()[2:] == [note.strip()]
