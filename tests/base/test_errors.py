import pytest

from asdkit.base.errors import DataError, shorten


def test_where_is_one_line_whatever_the_path():
    assert str(DataError("a\nb", "expected x", line=3)) == r"a\nb:3: expected x"


@pytest.mark.parametrize("length", [999, 1000, 5000])
def test_only_very_long_lines_are_cut(length):
    text = "x" * length
    assert (shorten(text) == text) == (length <= 1000)
    assert shorten(f"short\n{text}").startswith("short\n")
    assert max(map(len, shorten(f"short\n{text}").split("\n"))) <= 1000
