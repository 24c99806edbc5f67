"""Options of a plug-in are read from its source, before it is imported."""

import argparse
import sys
from itertools import count

import pytest

from asdkit.base.command import CommandParser
from asdkit.base.options import add_choice, add_options, choice_of
from asdkit.base.references import Reference

NUMBER = count()


class Known:
    """Take a size from the program.

    Args:
        size: from the program.
        rate: rate.
        kind: kind of thing.
    """

    def __init__(self, size: int, rate: float = 0.5, kind: str = "a") -> None: ...


class Alike:
    """Take a rate, too.

    Args:
        rate: rate of something else.
        seed: seed of something else.
    """

    def __init__(self, rate: float = 2.0, seed: int = 3) -> None:
        self.rate = rate


SOURCE = '''
"""A plug-in."""
raise_if_imported = 1 / 0
from typing import Literal
from asdkit.base.ranges import Count

class Base:
    """A base.

    Args:
        depth: depth.
    """
    def __init__(self, depth: Count = 4) -> None: ...

class Net(Base):
    """A thing.

    Args:
        size: from the program.
        rate: rate of mine.
        kind: kind of mine.
    """
    def __init__(self, size, rate: int = 7, kind: Literal["b", "c"] = "b",
                 untold=0.5, shape=None, **options) -> None: ...

class NeedsMore:
    """A thing."""
    def __init__(self, size, width) -> None: ...

class Sizeless:
    """A thing."""
    def __init__(self, rate: int = 7) -> None: ...
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A package that cannot be imported, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    package = f"toy{next(NUMBER)}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("1 / 0\n")
    (tmp_path / package / "nets.py").write_text(SOURCE)
    return f"{package}.nets"


def new_parser():
    parser = CommandParser("prog", "A program.")
    add_choice(parser, "net", {"known": Known}, "the thing", "rate", "kind")
    return parser


def parse(*argv):
    return choice_of(new_parser().parse(argv), "net", {"known": Known})


def error_of(capsys, *argv):
    with pytest.raises(SystemExit, match="2"):
        new_parser().parse(argv)
    first, _ = capsys.readouterr().err.splitlines()
    return first


def test_a_plugin_shares_an_option_of_its_choice_whose_plain_name_is_taken(module):
    parser = CommandParser("prog", "A program.")
    parser.add_argument("--rate")
    add_choice(parser, "net", {"known": Known}, "the thing", "rate", "kind")
    args = parser.parse(["--net", f"{module}:Net", "--net.rate", "3"])
    assert choice_of(args, "net", {"known": Known})[1] == {"rate": 3}


def test_options_of_a_plugin_are_read_from_its_source_without_an_import(module):
    argv = f"--net {module}:Net --depth 5 --rate 3 --kind c --untold 1".split()
    reference, options = parse(*argv)
    assert reference == Reference(f"{module}:Net")
    assert options == {"depth": 5, "rate": 3, "kind": "c", "untold": 1.0}
    assert not {module, module.partition(".")[0]} & sys.modules.keys()


def test_help_shows_the_options_of_the_plugin_only(module, capsys):
    with pytest.raises(SystemExit, match="0"):
        new_parser().parse(["--net", f"{module}:Net", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--rate N rate of mine (default: 7)" in shown
    assert "--kind {b,c} kind of mine (default: b)" in shown
    assert "--depth N depth (default: 4)" in shown
    assert f"--untold X untold of {module}:Net (default: 0.5)" in shown
    assert "--size" not in shown
    assert f"Shown for --net {module}:Net." in shown


def test_a_conf_file_may_choose_a_plugin(module, tmp_path):
    (tmp_path / "net.conf").write_text(f"--depth=6\n--net={module}:Net\n")
    assert parse("--config", "net.conf")[1] == {"depth": 6}


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        ("--rate 0.5", "argument --rate: expected an integer, got '0.5'"),
        ("--kind a", "argument --kind: invalid choice: 'a'"),
        ("--depth 0", "argument --depth: expected an integer at least 1, got 0"),
        ("--size 3", "unknown option --size"),
    ],
)
def test_values_are_checked_as_the_plugin_declares_them(argv, problem, module, capsys):
    assert problem in error_of(capsys, "--net", f"{module}:Net", *argv.split())


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no_such:Net", "there is no Python module 'no_such' on PYTHONPATH or in the"),
        ("{}.deeper:Net", "there is no Python module '{}.deeper'"),
        ("{}:Nett", "{} defines no class or function 'Nett'"),
        ("{}:NeedsMore", "its parameter 'width' needs a default; given are size"),
        ("{}:Sizeless", "{}:Sizeless has no parameter 'size', which it is given"),
        ("a b:Net", "expected a module like my.module, got 'a b'"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_one_line(name, problem, module, capsys):
    error = error_of(capsys, "--net", name.format(module))
    assert error.startswith("prog: error: argument --net: ")
    assert problem.format(module) in error


def test_a_plugin_that_is_no_python_is_one_line(module, tmp_path, capsys):
    (tmp_path / f"{module}_bad.py").write_text("class Net(:\n")
    (tmp_path / "bad_syntax.py").write_text("class Net(:\n")
    error = error_of(capsys, "--net", "bad_syntax:Net")
    assert "cannot read module 'bad_syntax': invalid syntax" in error


def test_a_class_that_another_module_defines_is_followed(module, tmp_path):
    package = module.partition(".")[0]
    (tmp_path / package / "front.py").write_text("from .nets import Net\n")
    assert parse("--net", f"{package}.front:Net", "--depth", "5")[1] == {"depth": 5}


def test_two_choices_with_a_parameter_of_the_same_name_do_not_collide():
    parser = CommandParser("prog", "A program.")
    add_options(parser, Alike, "seed")
    add_choice(parser, "net", {"known": Known}, "the thing", "rate")
    add_choice(parser, "loss", {"alike": Alike}, "the loss")
    args = parser.parse(["--rate", "3", "--loss.rate", "4", "--loss.seed", "5"])
    assert choice_of(args, "net", {"known": Known})[1] == {"rate": 3.0}
    assert choice_of(args, "loss", {"alike": Alike})[1] == {"rate": 4.0, "seed": 5}
    assert args.seed == 3


def test_an_option_of_a_plugin_with_a_name_that_is_taken_has_its_flag_before_it(module):
    parser = CommandParser("prog", "A program.")
    add_choice(parser, "net", {"known": Known}, "the thing", "rate", "kind")
    parser.add_argument("--depth", type=int, default=1)
    argv = ["--net", f"{module}:Net", "--depth", "2", "--net.depth", "9"]
    args = parser.parse(argv)
    assert args.depth == 2
    assert choice_of(args, "net", {"known": Known})[1] == {"depth": 9}


def test_a_parser_that_cannot_read_plugins_refuses_them(module):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_choice(parser, "net", {"known": Known}, "the thing", "rate")
    with pytest.raises(argparse.ArgumentError, match="invalid choice"):
        parser.parse_args(["--net", f"{module}:Net"])
