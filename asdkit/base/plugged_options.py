"""The options of a plug-in that a command line chooses."""

from __future__ import annotations

import dataclasses
from typing import Any

from asdkit.base.errors import AsdkitError
from asdkit.base.expressions import Unknown
from asdkit.base.options import Choosing, add_option_of_choice, explain
from asdkit.base.parsing import find_parsing, list_of
from asdkit.base.plugins import allow, plugin
from asdkit.base.signatures import MISSING, Parameter, parameters_of


def plug_in(choosing: Choosing, name: str) -> None:
    """Offer plug-ins to an option that chooses, with options read from their source.

    Args:
        choosing: the option; what it chooses from otherwise is what the plug-in must
            be like.
        name: ``my.module:Net``.

    Raises:
        AsdkitError: there is no such module or class, or it does not take what the
            program gives it.
    """
    allow([name.partition(":")[0]])
    parameters = parameters_of(plugin(name))
    given = _given(choosing)
    _check_fits(choosing, name, parameters, given)
    for parameter in parameters.values():
        parsing = _parsing_of(parameter)
        if parsing is not None and parameter.name not in given:
            _declare(choosing, name, parameter, parsing)


def _given(choosing: Choosing) -> set[str]:
    """Name what the program gives to all that can be chosen: it is not an option."""
    all_have = [set(parameters_of(choice)) for choice in choosing.choices.values()]
    return set.intersection(*all_have) - {*choosing.names}


def _check_fits(
    choosing: Choosing, name: str, parameters: dict[str, Parameter], given: set[str]
) -> None:
    """Compare what a plug-in takes with what the program gives."""
    if lacking := sorted(given - parameters.keys()):
        raise AsdkitError(f"{name} has no parameter {lacking[0]!r}, which it is given")
    can_need = given | {
        parameter.name
        for choice in choosing.choices.values()
        for parameter in parameters_of(choice).values()
        if parameter.default is MISSING
    }
    for parameter in parameters.values():
        if parameter.default is MISSING and parameter.name not in can_need:
            known = ", ".join(sorted(can_need)) or "nothing"
            raise AsdkitError(
                f"{name}: its parameter {parameter.name!r} needs a default; "
                f"given are {known}"
            )


def _parsing_of(parameter: Parameter) -> dict[str, Any] | None:
    """Tell how a value is parsed, by type or else by default; None: it is no option."""
    default = parameter.default
    if default is MISSING or isinstance(default, Unknown):
        return None
    return find_parsing(parameter.annotation) or find_parsing(type(default))


def _declare(
    choosing: Choosing, name: str, parameter: Parameter, parsing: dict[str, Any]
) -> None:
    """Declare an option of a plug-in, or let the one of the same choice mean it."""
    words = parameter.text or f"{parameter.name} of {name}"
    text = explain(dataclasses.replace(parameter, text=words))
    flag, plain = choosing.flag, parameter.name
    for action in choosing.parser._actions:
        if action.dest in (f"{flag}.{plain}", f"{flag}.{flag}.{plain}"):
            read = list_of(**parsing) if choosing.listed else parsing
            action.type = read.get("type")
            action.choices = read.get("choices")
            action.metavar = read.get("metavar")
            action.choice.helps[name] = text  # type: ignore[attr-defined]
            return
    add_option_of_choice(choosing, parameter.name, parsing, text, {name: text})
