"""Whatever is typed for an option or stands in a .conf file is a value or one line."""

import contextlib
import importlib
import io
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.__main__ import programs
from asdkit.base.command import CommandParser
from asdkit.base.conf import read_conf
from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_integer, parse_number, parse_numbers

quickly = settings(max_examples=60, derandomize=True, deadline=None, database=None)
# What people type for numbers, and what programs write.
NUMERALS = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.text("0123456789+-._eE nainf \N{ARABIC-INDIC DIGIT ONE}", max_size=6),
    st.sampled_from(["1e999", "-1e999", "1" * 5000, "0x10", "1_0", "True", "", "\0"]),
)
VALUES = st.one_of(NUMERALS, st.sampled_from(["true", "false", ",", "a,b"]), st.text())


def attempt(call, *args):
    """Return what a function gives, and why it gives nothing."""
    try:
        return call(*args), None
    except (ValueError, DataError) as error:
        return None, error


@quickly
@given(text=NUMERALS)
def test_a_number_is_python_s_or_a_value_error(text):
    for parse, python in ((parse_number, float), (parse_integer, int)):
        value, error = attempt(parse, text)
        assert error is not None or repr(value) == repr(python(text))


@quickly
@given(texts=st.lists(NUMERALS.filter(lambda x: len(x.split()) == 1), max_size=4))
def test_many_numbers_are_read_as_each_of_them(texts):
    words = [text.strip() for text in texts]
    each = [attempt(parse_number, word)[0] for word in words]
    together, error = attempt(parse_numbers, [word.encode() for word in words])
    assert (error is not None) == (None in each)
    if error is None:
        assert [*map(repr, together.tolist())] == [*map(repr, each)]


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    return tmp_path_factory.mktemp("properties") / "some.conf"


NAMES = st.from_regex(r"[a-z][a-z-]{0,8}", fullmatch=True).filter("config".__ne__)
PLAIN = st.text(
    st.characters(codec="ascii", categories=("L", "N", "P"), exclude_characters="#")
)


@quickly
@given(options=st.dictionaries(NAMES, PLAIN, max_size=5))
def test_options_are_read_as_they_were_written(conf, options):
    lines = [f"--{name}={value}" for name, value in options.items()]
    conf.write_text("".join(f"{line}  # for a reason\n\n" for line in lines))
    assert [line.option for line in read_conf(conf)] == lines


@quickly
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_any_file_is_options_or_a_data_error(conf, content):
    conf.write_bytes(content)
    lines, error = attempt(read_conf, conf)
    assert (lines is None) == (error is not None)
    assert "\n" not in str(error)


@pytest.fixture(scope="module")
def options():
    """The parser of every program, arguments that it takes, and its options."""
    found = []
    for name in sorted(programs()):
        module = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
        parser = CommandParser(f"asdkit {name}", "")
        module.add_arguments(parser)
        actions = parser._actions
        places = [
            next(iter(x.choices)) if x.choices else "somewhere"
            for x in actions
            if not x.option_strings
        ]
        flags = [x.option_strings[0] for x in actions if x.option_strings and x.type]
        found += [(parser, places, flag) for flag in flags]
    return found


def parse(parser, argv):
    """Return what a command line is parsed to, or the exit code; and what is said."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            return parser.parse(argv), said.getvalue()
        except SystemExit as stop:
            return stop.code, said.getvalue()


@settings(quickly, max_examples=400)
@given(data=st.data())
def test_any_value_of_an_option_is_taken_or_wrong_usage(options, data):
    parser, places, flag = data.draw(st.sampled_from(options))
    required = [x for x in parser._actions if x.option_strings and x.required]
    words = [f"{flag}={data.draw(VALUES)}", *places]
    for action in required:
        if flag not in action.option_strings:
            number = action.nargs if isinstance(action.nargs, int) else 1
            words += [action.option_strings[0], *["somewhere"] * number]
    found, said = parse(parser, words)
    if isinstance(found, int):
        assert found == 2
        assert said.startswith(f"{parser.prog}: error: argument {flag}: ")
    else:
        taken = [x for x in vars(found).values() if isinstance(x, float)]
        assert not any(map(math.isnan, taken))
