import pytest

from asdkit.base.conf import ConfLine, expand_conf, read_conf
from asdkit.base.errors import DataError


def test_a_file_is_taken_out_of_the_command_line_wherever_it_stands(tmp_path):
    conf = tmp_path / "model.conf"
    conf.write_text("# more than usual\n--num-iters=20  # 10 loses\n\n--scale=0.1\n")
    lines = [
        ConfLine("--num-iters=20", str(conf), 2),
        ConfLine("--scale=0.1", str(conf), 4),
    ]
    assert [line.name for line in lines] == ["--num-iters", "--scale"]
    rest = ["--num-iters", "3", "data"]
    assert expand_conf(["--config", str(conf), *rest]) == (lines, rest)
    assert expand_conf([*rest, f"--config={conf}"]) == (lines, rest)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("--scale=0.1\n--num-iters 3\n", 2, "expected --name=value, got"),
        ("scale=0.1\n", 1, "expected --name=value, got 'scale=0.1'"),
        ("\n--config=other.conf\n", 2, "got another --config"),
    ],
)
def test_a_wrong_line_names_file_and_line(tmp_path, text, line, problem):
    conf = tmp_path / "model.conf"
    conf.write_text(text)
    with pytest.raises(DataError, match=problem) as caught:
        read_conf(conf)
    assert str(caught.value).startswith(f"{conf}:{line}: ")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    conf = tmp_path / "model.conf"
    conf.write_bytes(b"\x1f\x8b\x08\x00\xff\xfe")
    with pytest.raises(DataError, match="expected lines of --name=value in UTF-8"):
        read_conf(conf)
    with pytest.raises(DataError, match="cannot read it: No such file"):
        read_conf(tmp_path / "missing.conf")


def test_a_byte_order_mark_is_no_part_of_an_option(tmp_path):
    conf = tmp_path / "model.conf"
    conf.write_text("--scale=0.1\n", encoding="utf-8-sig")
    assert read_conf(conf) == [ConfLine("--scale=0.1", str(conf), 1)]
