import pytest

from asdkit.base.errors import AsdkitError
from asdkit.report.comparison import parse_system


@pytest.mark.parametrize(
    ("text", "name", "paths"),
    [
        ("exp/a/scores", "exp/a/scores", ["exp/a/scores"]),
        ("exp/a/s0/x,exp/a/s1/x", "exp/a", ["exp/a/s0/x", "exp/a/s1/x"]),
        ("a,b", "a,b", ["a", "b"]),
        ("/a/b,c", "/a/b,c", ["/a/b", "c"]),
        ("LCNN, 5 layers=a,b", "LCNN, 5 layers", ["a", "b"]),
        ("m=0.2=a", "m=0.2", ["a"]),
    ],
)
def test_a_system_is_a_path_or_some_with_or_without_a_name(text, name, paths):
    assert parse_system(text) == (name, paths)


def test_a_file_with_any_name_is_a_file(tmp_path):
    path = tmp_path / "margin=0.2,scale=30"
    path.write_text("")
    assert parse_system(f"{path}") == (f"{path}", [f"{path}"])


@pytest.mark.parametrize("text", ["", "=a", "a,", ",a", "name=", "name=a,,b"])
def test_an_empty_name_or_path_is_refused(text):
    with pytest.raises(AsdkitError, match="expected PATH, PATH,PATH or NAME=PATH"):
        parse_system(text)
