"""Command lines of programs: parsing with one-line errors, and ``--help``."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from asdkit.base.answers import for_json
from asdkit.base.conf import ConfLine, expand_conf
from asdkit.base.errors import AsdkitError, DataError, shorten
from asdkit.base.exits import printable
from asdkit.base.options import Choice, Choosing, choice_name
from asdkit.base.plugged_options import plug_in
from asdkit.base.plugins import is_plugin

HELP = ("-h", "--help")
RENAMED = {"--lane": "--features"}  # old names that are still understood
PLACES = {"FILE", "DIR", "FILE|DIR", "RSPECIFIER"}  # options that name what is read
RSPECIFIER = re.compile(r"^(scp|ark)[a-z,]*:")


class Given(NamedTuple):
    """A parsed command line, by what its words are.

    Attributes:
        arguments: positional arguments in their order, name -> values.
        inputs: name of the argument or option -> existing files and directories.
        options: all other options that are not as by default; the flavor always.
    """

    arguments: dict[str, list[str]]
    inputs: dict[str, list[str]]
    options: dict[str, Any]


class CommandParser(argparse.ArgumentParser):
    """argparse, with ``--config``, suggestions, and a help of what is chosen only.

    ``--help`` leaves out the options that the chosen network, loss, ... does not have;
    ``--help all`` shows them.

    Args:
        prog: how the user calls the program.
        description: description of the program.
    """

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        text = "show this help; with 'all', the options of every choice"
        self.add_argument(*HELP, nargs="?", metavar="all", help=text)
        self.add_argument("--config", metavar="FILE", help="a .conf file with options")

    def error(self, message: str) -> NoReturn:
        """Exit with one line, and a hint at the full usage."""
        text = printable(shorten(message))
        self.exit(2, f"{self.prog}: error: {text}\n  hint: {self.prog} --help\n")

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse a command line, or answer its ``--help``; --config files come first.

        Raises:
            DataError: a line of a ``.conf`` file is wrong.
            SystemExit: help was asked for, or the command line is wrong.
        """
        if asked := [i for i, word in enumerate(argv) if word in HELP]:
            rest = argv[: asked[0]]
            is_all = "all" in argv[asked[0] + 1 : asked[0] + 2]
            self.print_help_of(None if is_all else rest)
            self.exit(0)
        conf, rest = expand_conf(argv)
        self._plug_in([*(line.option for line in conf), *rest])
        for line in conf:
            self._check_line(line)
        rest = [self._rename(word) for word in rest]
        for word in rest:
            if word == "--":
                break
            name = word.partition("=")[0]
            if word.startswith("--") and name not in self._option_string_actions:
                self.error(f"unknown option {name}{self._nearest(name)}")
        return self.parse_args([*(self._rename(line.option) for line in conf), *rest])

    def given(self, args: argparse.Namespace) -> Given:
        """Sort a parsed command line into arguments, inputs and options."""
        found = Given({}, {}, {})
        for action in self._actions:
            value = getattr(args, action.dest, None)
            values = value if isinstance(value, list) else [value]
            is_place = not action.option_strings
            if is_place:
                found.arguments[action.dest] = [f"{x}" for x in values]
            if (is_place and action.choices is None) or action.metavar in PLACES:
                words = [x for x in values if type(x) is str]  # an output is no input
                paths = [RSPECIFIER.sub("", word) for word in words]
                if there := [path for path in paths if path and os.path.exists(path)]:
                    found.inputs[action.dest] = there
            elif not is_place and action.dest not in ("help", "log_level", "json"):
                is_default = value is None or value == action.default
                if not is_default or action.dest == "flavor":
                    found.options[action.dest] = for_json(value)
        return found

    def _rename(self, word: str) -> str:
        """Replace an option's old name by the new one where only that exists."""
        old, equals, value = word.partition("=")
        new = RENAMED.get(old, old)
        known = self._option_string_actions
        return f"{new}{equals}{value}" if old not in known and new in known else word

    def print_help_of(self, argv: Sequence[str] | None) -> None:
        """Print the help for what a command line chooses; None: for everything."""
        if argv is not None:
            conf, rest = expand_conf(argv)
            words = [*(line.option for line in conf), *rest]
            self._plug_in(words)
            self._narrow(words)
        self.print_help(sys.stdout)

    def _plug_in(self, argv: Sequence[str]) -> None:
        """Read the options of the plug-ins that a command line chooses."""
        for action in [*self._actions]:
            choosing: Choosing | None = getattr(action, "choosing", None)
            if choosing and is_plugin(name := self._chosen(choosing.flag, argv)):
                try:
                    plug_in(choosing, name)
                except AsdkitError as error:
                    self.error(f"argument --{choosing.flag}: {error}")

    def _check_line(self, line: ConfLine) -> None:
        """Check an option of a file, so that the error can name file and line.

        Raises:
            DataError: there is no such option, or its value is wrong.
        """
        action = self._option_string_actions.get(self._rename(line.name))
        if action is None:
            problem = f"unknown option {line.name}{self._nearest(line.name)}"
            hint = f"{self.prog} --help all"
            raise DataError(line.path, problem, line=line.line, hint=hint)
        value = line.option.partition("=")[2]
        try:
            self._get_values(action, [value])
        except argparse.ArgumentError as error:
            problem = f"{line.name}: {error.message}"
            raise DataError(line.path, problem, line=line.line) from None

    def _nearest(self, name: str) -> str:
        """``; did you mean --x?``, or nothing."""
        return did_you_mean(name, self._option_string_actions)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Also suggest the nearest choice."""
        if action.choices is None or value in action.choices:
            return
        if hasattr(action, "choosing") and is_plugin(value):
            return
        known = ", ".join(map(str, action.choices))
        nearest = did_you_mean(str(value), map(str, action.choices))
        message = f"invalid choice: {value!r}{nearest} (choose from {known})"
        raise argparse.ArgumentError(action, message)

    def _narrow(self, argv: Sequence[str]) -> None:
        """Hide the options that what is chosen does not have."""
        chosen = {}
        for action in self._actions:
            choice: Choice | None = getattr(action, "choice", None)
            if choice is None:
                continue
            if choice.flag not in chosen:
                chosen[choice.flag] = self._chosen(choice.flag, argv)
            text = choice.helps.get(chosen[choice.flag], argparse.SUPPRESS)
            action.help = (
                text.replace("%", "%%") if text in choice.helps.values() else text
            )
        if chosen:
            names = ", ".join(f"--{flag} {name}" for flag, name in chosen.items())
            self.epilog = f"Shown for {names}.  --help all shows every option."

    def _chosen(self, flag: str, argv: Sequence[str]) -> str:
        """Find what a command line chooses, without parsing it all."""
        found = str(self.get_default(flag))
        for word, after in pairwise([*argv, ""]):
            name, equals, value = word.partition("=")
            if name == f"--{flag}":
                found = value if equals else after
        return choice_name(found)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest what was meant: ``; did you mean x?``, or nothing if nothing is near.

    Example:
        >>> did_you_mean("--num-itres", ["--num-iters", "--seed"])
        '; did you mean --num-iters?'
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def one_line_usage(parser: argparse.ArgumentParser) -> str:
    """Format a program's usage: its name and its positional arguments."""
    places = [x for x in parser._actions if not x.option_strings]
    words = [f"{x.metavar or x.dest}{' ...' * (x.nargs == '+')}" for x in places]
    return re.sub(" +", " ", " ".join([parser.prog, "[OPTIONS]", *words]))
