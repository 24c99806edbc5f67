"""Values that no option should be given, and what shells and languages make of them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

from asdkit.base.command import CommandParser
from torture.verdicts import CANARY

NUMBERS = [
    *("nan", "inf", "-inf", "1e400", "-1", "0", "-0", "1e-300", "1e300", "1e19"),
    *("1000000000", "99999999999999999999", "1_0", "0x10", "1e3", "+5", "1.5", "0.5"),
    *("\N{ARABIC-INDIC DIGIT THREE}", "1,5", "true", "None", "2", "9"),
]
WORDS = [
    *("", " ", "true", "none", "NaN", "0", "-1", "zzz", "x" * 10000, "a\tb", "a\nb"),
    *("%s%n{0}", "{}", "\x1b[31m", "é", "--seed", "a,b", ",", "=", "'", '"', "*", "~"),
    *("/dev/null", "/dev/zero", "/dev/full", ".", "..", "/", "-", "conf/mfcc.conf"),
    *(f"$(touch {CANARY})", f"; touch {CANARY}", f"../../{CANARY}"),
]
# These say how long something takes; a billion of them is a wish, not a fault.
LONG = re.compile(
    r"--(num-.*(iters|epochs|spks|sessions|rhos|rounds|trees|steps|estimators|frames)"
    r"|max-(iters|epochs)|.*utts.*|mean-sec|bootstrap|.*repeats|steps-per-epoch"
    r"|chunks-per-.*|num-samples|rounds|num-frames|warm-?up)"
)


def values_of(program: str) -> Iterator[tuple[str, str]]:
    """Yield every option of a program with every value that it is to be tried with."""
    module = importlib.import_module(f"asdkit.bin.{program.replace('-', '_')}")
    parser = CommandParser(program, "")
    module.add_arguments(parser)
    for action in parser._actions:
        flag = next((x for x in action.option_strings if x.startswith("--")), "")
        if not flag or flag == "--help":
            continue
        is_number = action.metavar in ("N", "X", "N,N,...")
        for value in NUMBERS if is_number else WORDS:
            if not (is_huge(value) and LONG.fullmatch(flag)):
                yield flag, value


def is_huge(value: str) -> bool:
    """Tell whether a value is a very large number."""
    return value in ("1000000000", "99999999999999999999", "1e19", "1e300")
