"""Options of a localizer that localizer-tune has found, for a bundle."""

from __future__ import annotations

import os

from asdkit.base.command import CommandParser
from asdkit.base.errors import DataError
from asdkit.base.options import add_choice, choice_of
from asdkit.countermeasures.registry import LOCALIZERS
from asdkit.inference.stretches import Localization
from asdkit.io.tables import PathName


def read_localization(path: PathName | None) -> Localization:
    """Read a .conf file of localizer-tune; None: the defaults.

    Raises:
        DataError: it is of another method than fsa, which a bundle decides by.
    """
    if path is None:
        return Localization()
    parser = CommandParser("asdkit cm-localize", None)
    add_choice(parser, "method", LOCALIZERS, "decision method")
    args = parser.parse(["--config", os.fspath(path)])
    if args.method != "fsa":
        problem = f"expected --method=fsa, got {args.method}"
        raise DataError(path, problem, hint="asdkit localizer-tune --method fsa")
    return Localization.read(choice_of(args, "method", LOCALIZERS)[1])
