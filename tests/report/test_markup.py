"""Everything is escaped but markup that was made here."""

from html.parser import HTMLParser

from asdkit.base.answers import number
from asdkit.report.markup import Markup, data_table, element, escape, figure, scroll_box

EVIL = "<script>alert('x')</script>\"&"


class Reader(HTMLParser):
    """Collect the names of elements, values of attributes, and text."""

    def __init__(self):
        super().__init__()
        self.names, self.values, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data):
        self.text += data


def read(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_a_text_stays_a_text_in_elements_and_attributes():
    found = read(element("p", [EVIL, element("b", EVIL)], title=EVIL))
    assert found.names == ["p", "b"]
    assert found.values == [EVIL]
    assert found.text == 2 * EVIL


def test_markup_is_not_escaped_twice():
    assert escape([Markup("<b>"), "<b>"]) == "<b>&lt;b&gt;"
    assert element("br") == "<br/>"
    assert (
        element("input", checked=True, disabled=False, value=None) == "<input checked/>"
    )


def test_tables_and_figures_name_what_they_hold():
    table = data_table([EVIL, "n"], [[EVIL, number(1.5)]], EVIL)
    found = read(figure(EVIL, EVIL, "", table))
    assert "script" not in found.names
    assert {"figure", "figcaption", "h3", "details", "summary", "table"} <= set(
        found.names
    )
    assert 'scope="col"' in table
    assert 'scope="row"' in table
    assert 'tabindex="0"' in scroll_box("", "x")
