import pytest

from asdkit.base.command import CommandParser, did_you_mean, one_line_usage
from asdkit.base.errors import DataError
from asdkit.base.options import add_choice, add_options


class Wide:
    """Be wide.

    Args:
        width: width in m.
        depth: depth in m.
    """

    def __init__(self, width: float = 3.0, depth: float = 0.5) -> None: ...


class Tall:
    """Be tall.

    Args:
        height: height in m.
        depth: another depth in m.
    """

    def __init__(self, height: float = 4.0, depth: float = 0.25) -> None: ...


class Paint:
    """Paint.

    Args:
        num_layers: number of layers, 100 % opaque.
    """

    def __init__(self, num_layers: int = 2) -> None: ...


@pytest.fixture
def parser():
    made = CommandParser("asdkit shape-make", "Make a shape.")
    add_choice(made, "shape", {"wide": Wide, "tall": Tall}, "the shape")
    add_options(made, Paint, "num_layers")
    made.add_argument("out", nargs="+", help="where to write")
    return made


def refused(parser, capsys, *argv):
    with pytest.raises(SystemExit, match="2"):
        parser.parse(argv)
    first, hint = capsys.readouterr().err.splitlines()
    assert hint == "  hint: asdkit shape-make --help"
    return first.removeprefix("asdkit shape-make: error: ")


def shown(parser, capsys, *argv):
    with pytest.raises(SystemExit, match="0"):
        parser.parse(argv)
    return " ".join(capsys.readouterr().out.split())


def test_help_shows_the_options_of_what_is_chosen(parser, capsys):
    text = shown(parser, capsys, "--help")
    assert "--width X width in m (default: 3.0)" in text
    assert "--depth X depth in m (default: 0.5)" in text
    assert "--num-layers N number of layers, 100 % opaque (default: 2)" in text
    assert "--height" not in text
    assert "Shown for --shape wide. --help all shows every option." in text


@pytest.mark.parametrize(
    "argv", [["--shape", "tall", "-h"], ["--shape=tall", "--help"]]
)
def test_help_follows_the_choice_on_the_command_line(parser, capsys, argv):
    text = shown(parser, capsys, *argv)
    assert "--height X height in m (default: 4.0)" in text
    assert "--depth X another depth in m (default: 0.25)" in text
    assert "--width" not in text


def test_help_follows_the_choice_of_a_conf(parser, capsys, tmp_path):
    (tmp_path / "tall.conf").write_text("--shape=tall\n")
    text = shown(parser, capsys, "--config", str(tmp_path / "tall.conf"), "--help")
    assert "--height" in text
    assert "--width" not in text


def test_help_all_shows_every_option(parser, capsys):
    text = shown(parser, capsys, "--help", "all")
    assert "wide: width in m (default: 3.0)" in text
    assert "tall: height in m (default: 4.0)" in text
    assert "wide: depth in m (default: 0.5); tall: another depth in m" in text


def test_an_unknown_option_names_the_nearest(parser, capsys):
    assert refused(parser, capsys, "--num-layer", "3", "x") == (
        "unknown option --num-layer; did you mean --num-layers?"
    )
    assert refused(parser, capsys, "--zzz=3", "x") == "unknown option --zzz"


def test_an_unknown_choice_names_the_nearest(parser, capsys):
    assert refused(parser, capsys, "--shape", "tal", "x") == (
        "argument --shape: invalid choice: 'tal'; did you mean tall? "
        "(choose from wide, tall)"
    )


@pytest.mark.parametrize("value", ["x" * 10_000, "\x1b[31m"])
def test_a_wrong_value_is_neither_shown_at_length_nor_obeyed(parser, capsys, value):
    line = refused(parser, capsys, f"--num-layers={value}", "out")
    assert line.startswith("argument --num-layers: expected ")
    assert len(line) < 1200
    assert line.isprintable()


def test_what_follows_two_hyphens_is_no_option(parser):
    assert parser.parse(["--", "--odd"]).out == ["--odd"]


def test_the_command_line_beats_the_file_wherever_config_stands(parser, tmp_path):
    conf = tmp_path / "shape.conf"
    conf.write_text("--num-layers=20\n--shape=tall\n")
    for argv in (
        ["--config", str(conf), "--num-layers", "3", "x"],
        ["--num-layers", "3", "x", f"--config={conf}"],
    ):
        args = parser.parse(argv)
        assert (args.num_layers, args.shape) == (3, "tall")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("--num-layer=3", "unknown option --num-layer; did you mean --num-layers?"),
        ("--num-layers=x", "--num-layers: expected an integer, got 'x'"),
        ("--shape=tal", "--shape: invalid choice: 'tal'; did you mean tall?"),
    ],
)
def test_a_wrong_line_of_a_conf_names_file_and_line(parser, tmp_path, line, problem):
    conf = tmp_path / "shape.conf"
    conf.write_text(f"# a comment\n{line}\n")
    with pytest.raises(DataError) as caught:
        parser.parse([f"--config={conf}", "x"])
    assert str(caught.value).startswith(f"{conf}:2: {problem}")


def test_usage_is_what_must_be_given(parser):
    assert one_line_usage(parser) == "asdkit shape-make [OPTIONS] out ..."


def test_nothing_is_suggested_where_nothing_is_near():
    assert did_you_mean("--speed", ["--num-iters"]) == ""


def test_an_options_old_name_is_understood_where_only_the_new_one_is_known():
    parser = CommandParser("asdkit nnet-extract", "")
    parser.add_argument("--features", choices=("stored", "audio"))
    assert parser.parse(["--lane", "audio"]).features == "audio"
    assert parser.parse(["--lane=stored"]).features == "stored"
    with pytest.raises(SystemExit):
        CommandParser("asdkit x", "").parse(["--lane", "audio"])
