"""Command-line options whose defaults and helps live in the constructor they configure.

A default is written once, in the signature of the class or function that uses it, and
its meaning once, in the docstring's ``Args:``.  A program names the parameters that
become options; the rest is read from the source (`asdkit.base.signatures`), without
importing it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from asdkit.base.errors import AsdkitError
from asdkit.base.expressions import Unknown
from asdkit.base.parsing import list_of, parsing_of
from asdkit.base.plugins import is_plugin
from asdkit.base.references import Configurable, Reference, reference_to
from asdkit.base.registry import Chosen, find
from asdkit.base.signatures import Parameter, defaults_of, parameters_of

Choices: TypeAlias = Mapping[str, Configurable]
Parser: TypeAlias = "argparse.ArgumentParser | argparse._ArgumentGroup"
# The meaning of None comes last in a docstring.
WITHOUT = re.compile(r"(.*?)[;,]? None: (.*)", re.DOTALL)


class Choice(NamedTuple):
    """The option that another depends on, kept beside it for the help.

    Attributes:
        flag: the option that chooses, without its hyphens.
        helps: chosen name -> help, for the names that have the option.
    """

    flag: str
    helps: dict[str, str]


class Choosing(NamedTuple):
    """The choices of an option, kept beside it for plug-ins.

    Attributes:
        flag: the option, without its hyphens.
        choices: name -> class or function.
        names: the parameters that are options.
        listed: whether these take lists.
        parser: where they are declared.
    """

    flag: str
    choices: Choices
    names: tuple[str, ...]
    listed: bool
    parser: Parser


def add_options(
    parser: Parser, configurable: Configurable, *names: str, but: Collection[str] = ()
) -> None:
    """Give a program one option per named parameter of a class or function.

    Args:
        parser: the program's parser, or a group of its options.
        configurable: the class or function that owns them, or its name.
        names: the parameters; without names, all that have defaults.
        but: the parameters to leave out, without names.

    Raises:
        TypeError: a parameter does not exist, has no default or is not explained.
    """
    parameters, defaults = parameters_of(configurable), defaults_of(configurable)
    for name in names or [name for name in defaults if name not in but]:
        if name not in defaults:
            owner = reference_to(configurable).name
            raise TypeError(f"{owner} has no option {name!r}")
        parameter = parameters[name]
        parser.add_argument(
            _flag(name),
            default=parameter.default,
            help=explain(parameter).replace("%", "%%"),
            **parsing_of(parameter.annotation),
        )


def add_choice(
    parser: Parser,
    flag: str,
    choices: Choices,
    text: str,
    *names: str,
    but: Collection[str] = (),
    listed: bool = False,
) -> None:
    """Give a program an option that chooses a class or function, and options for all.

    Names of choices have underscores; hyphens in their place are understood.  Plug-ins
    can be chosen, too, see `asdkit.base.plugins`.

    An option whose name another has already is called ``--FLAG.NAME``, as in Kaldi,
    e.g. ``--network.temperature``.  So declare first the one to keep the plain name.

    Args:
        parser: the program's parser, or a group of its options.
        flag: the name of the option that chooses, e.g. "type".
        choices: name -> class or function that owns its defaults; the first is the
            default.
        text: help of the option that chooses.
        names: the parameters that become options, of any of the choices; without
            names, all that have defaults.
        but: the parameters to leave out, without names.
        listed: whether the options take lists, values with commas between them.

    Raises:
        TypeError: no choice has a parameter of that name with a default.
    """
    first = next(iter(choices))
    choosing = parser.add_argument(
        f"--{flag}",
        type=choice_name,
        choices=choices,
        default=first,
        metavar="NAME",
        help=f"{text}: {', '.join(choices)} (default: {first})",
    )
    every = dict.fromkeys(x for c in choices.values() for x in defaults_of(c))
    names = names or tuple(name for name in every if name not in but)
    about = Choosing(flag, choices, names, listed, parser)
    choosing.choosing = about  # type: ignore[attr-defined]
    for name in names:
        owners = {k: c for k, c in choices.items() if name in defaults_of(c)}
        if not owners:
            raise TypeError(f"none of {', '.join(choices)} has an option {name!r}")
        having = {key: parameters_of(owner)[name] for key, owner in owners.items()}
        parsing = parsing_of(next(iter(having.values())).annotation)
        helps = {key: explain(parameter) for key, parameter in having.items()}
        add_option_of_choice(about, name, parsing, _explain_all(having, choices), helps)


def add_option_of_choice(
    choosing: Choosing,
    name: str,
    parsing: dict[str, Any],
    text: str,
    helps: dict[str, str],
) -> None:
    """Declare an option that depends on a choice.

    Args:
        choosing: which choice.
        name: the parameter.
        parsing: of a single value, as `asdkit.base.parsing.parsing_of` says.
        text: what it means to all that have it.
        helps: what it means to each.
    """
    flag = choosing.flag
    is_taken = _flag(name) in choosing.parser._option_string_actions
    spelled = f"{flag}.{name}" if is_taken else name
    action = choosing.parser.add_argument(
        _flag(spelled),
        dest=f"{flag}.{spelled}",  # another choice may have a parameter of this name
        default=argparse.SUPPRESS,
        help=text.replace("%", "%%"),
        **(list_of(**parsing) if choosing.listed else parsing),
    )
    action.choice = Choice(flag, helps)  # type: ignore[attr-defined]


def choice_name(text: str) -> str:
    """Write the name of a choice with underscores; a plug-in's stays as it is."""
    return text if is_plugin(text) else text.replace("-", "_")


def choice_of(
    args: argparse.Namespace, flag: str, choices: Choices
) -> tuple[Reference, dict[str, Any]]:
    """Return the chosen class or function, and the options that were given.

    Raises:
        AsdkitError: an option was given that only other choices have.
    """
    chosen = getattr(args, flag)
    reference = find(choices, chosen)
    prefix = f"{flag}."
    spelled = {
        dest.removeprefix(prefix): value
        for dest, value in vars(args).items()
        if dest.startswith(prefix)
    }
    known = defaults_of(reference)
    for option in spelled:
        if option.removeprefix(prefix) not in known:
            raise AsdkitError(f"{_flag(option)}: --{flag} {chosen} has no such option")
    given = {option.removeprefix(prefix): value for option, value in spelled.items()}
    ordered = {name: given[name] for name in known if name in given}
    return reference, ordered


def chosen_of(args: argparse.Namespace, flag: str, choices: Choices) -> Chosen:
    """Return the chosen name, and the options that were given.

    Raises:
        AsdkitError: as for `choice_of`.
    """
    return Chosen(getattr(args, flag), choice_of(args, flag, choices)[1])


def options_of(configurable: Configurable, args: argparse.Namespace) -> dict[str, Any]:
    """Collect the keyword arguments of a class or function from parsed arguments."""
    return {n: getattr(args, n) for n in defaults_of(configurable) if hasattr(args, n)}


def explain(parameter: Parameter) -> str:
    """Describe an option and its default.

    Raises:
        TypeError: its docstring does not describe it.
    """
    text, default = _meaning(parameter)
    return f"{text} (default: {default})" if default else text


def _meaning(parameter: Parameter) -> tuple[str, str]:
    """Return an option's description, and its default in words, empty without one."""
    if not parameter.text:
        raise TypeError(f"the docstring does not explain {parameter.name!r}")
    if isinstance(parameter.default, Unknown):
        raise TypeError(f"{parameter.name!r}: its default is no plain value")
    if parameter.default is not None:
        return parameter.text, _show(parameter.default)
    without = WITHOUT.fullmatch(parameter.text)
    return (without[1], without[2]) if without else (parameter.text, "")


def _explain_all(having: Mapping[str, Parameter], choices: Iterable[str]) -> str:
    """Describe an option for all choices that have it, grouping equal ones."""
    meanings: dict[str, dict[str, list[str]]] = {}
    for key, parameter in having.items():
        text, default = _meaning(parameter)
        meanings.setdefault(text, {}).setdefault(default, []).append(key)
    have_all = len(having) == len(list(choices))
    parts = []
    for text, keys_of in meanings.items():
        keys = ", ".join(key for keys in keys_of.values() for key in keys)
        names = "" if len(meanings) == 1 and have_all else f"{keys}: "
        if len(keys_of) == 1:
            (default,) = keys_of
            shown = f" (default: {default})" if default else ""
        else:
            names = "" if len(meanings) == 1 else f"{keys}: "
            each = (f"{', '.join(k)}: {x or 'none'}" for x, k in keys_of.items())
            shown = f" (default: {'; '.join(each)})"
        parts.append(f"{names}{text}{shown}")
    return "; ".join(parts)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _show(default: Any) -> str:
    """Write a default as it would be typed."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (tuple, list)):
        return ",".join(map(str, default)) or "none"
    return str(default) or "empty"
