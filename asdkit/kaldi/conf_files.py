"""Kaldi's .conf files, as the options of what they configure here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asdkit.base.command import CommandParser
from asdkit.base.options import add_options, options_of
from asdkit.base.signatures import defaults_of
from asdkit.io.tables import PathName


def read_options(path: PathName, configurable: Callable[..., Any]) -> dict[str, Any]:
    """Read a .conf file as keyword arguments, defaults among them.

    Args:
        path: e.g. conf/mfcc.conf.
        configurable: class or function that takes them.

    Raises:
        DataError: it is missing, or has an option that we do not.
    """
    parser = CommandParser("asdkit kaldi-import", None)
    add_options(parser, configurable, *defaults_of(configurable))
    return options_of(configurable, parser.parse([f"--config={path}"]))
