"""The ``asdkit`` command: find the program, parse, run, report errors in one line."""

from __future__ import annotations

import ast
import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import asdkit
from asdkit.base.answers import WIDTH, Answer, CheckFailed, as_json, as_text
from asdkit.base.blas import choose_kernels
from asdkit.base.command import CommandParser, Given, did_you_mean, one_line_usage
from asdkit.base.distributed import end_with_launcher, is_main, join, leave
from asdkit.base.exits import exit_code
from asdkit.base.garbage import collect_seldom
from asdkit.base.interrupts import interrupt_between_imports
from asdkit.base.log import set_up_logging
from asdkit.base.measured import Measured, measuring
from asdkit.base.outputs import hold, outputs_of
from asdkit.base.provenance import command_line, provenance
from asdkit.base.run_cost import Meter
from asdkit.base.threads import let_threads_yield

logger = logging.getLogger("asdkit")
BIN = Path(__file__).parent / "bin"
# Programs whose names end in these leave in costs.jsonl what a run has cost.
COSTLY = (
    *("adapt", "attack", "calibrate", "compute", "extract", "fuse", "localize"),
    *("normalize", "score", "train", "tune"),
    *("add", "apply", "draw", "simulate", "splice"),  # these make audio
)
# Programs that only measure: the argument whose values they leave results.json beside.
MEASURING = {
    "score-metrics": "scores",
    "segment-metrics": "out_dir",
    "leak-check": "data_dir",
}
# What a program is about, by the noun that its name begins with.
SUBJECTS = {
    "Using a model": (
        *("verify", "detect", "enroll", "identify", "stream", "serve"),
        *("profile", "bundle"),
    ),
    "Data directories": ("corpus", "data", "trials", "voxceleb"),
    "Leaving Kaldi": ("kaldi",),
    "Audio, made and changed": ("speakers", "noise", "room", "codec"),
    "Spoofed speech": ("spoof", "leak"),
    "Features and voice activity": ("feats", "vad", "stats", "ssl"),
    "i-vectors": ("ubm", "ivector"),
    "Networks": ("nnet",),
    "Back-ends and calibration": ("backend", "calibration"),
    "Scores": ("score", "compare", "benchmark"),
    "Results": ("results", "report", "plot"),
    "Countermeasures": ("cm", "localizer", "segment", "tandem"),
    "Models, costs, installation": ("model", "cost", "plan", "doctor"),
}


def programs() -> dict[str, str]:
    """Map every program's name to the first line of its docstring."""
    found = {}
    for path in sorted(BIN.glob("[a-z]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        found[path.stem.replace("_", "-")] = text.partition("\n")[0]
    return found


def subject_of(name: str) -> str:
    """Name the subject under which the help lists a program."""
    noun, _, verb = name.partition("-")
    for subject, nouns in SUBJECTS.items():
        if noun in nouns:
            return subject
    assert verb == "prepare", f"{name}: SUBJECTS has no {noun}"  # a corpus's
    return "Data directories"


def is_metered(name: str) -> bool:
    """Tell whether a program leaves what a run has cost."""
    return name.rpartition("-")[2] in COSTLY


def usage() -> str:
    """List the programs by subject, one line each."""
    known = programs()
    width = max(map(len, known))
    lines = [
        "usage: asdkit COMMAND [OPTIONS] ARGUMENTS",
        "       asdkit COMMAND --help",
        "       asdkit --version",
    ]
    for subject in SUBJECTS:
        lines += ["", f"{subject}:"]
        lines += [
            f"  {name:{width}}  {text}"
            for name, text in known.items()
            if subject_of(name) == subject
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one program.

    Returns:
        0 done; 1 the data or the fit is wrong; 2 wrong usage; 130 interrupted.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"asdkit {asdkit.__version__}")
        return 0
    name, *rest = argv
    try:
        return exit_code(f"asdkit {name}", lambda: _find_and_run(name, rest))
    finally:
        leave()


def _find_and_run(name: str, argv: list[str]) -> int:
    """Run a program if there is one of this name."""
    if name not in (known := programs()):
        cure = did_you_mean(name, known) or "; asdkit --help lists them"
        print(f"asdkit: no command {name!r}{cure}", file=sys.stderr)
        return 2
    choose_kernels()
    let_threads_yield()
    collect_seldom()
    interrupt_between_imports()
    end_with_launcher()
    return _run(name, argv)


def _run(name: str, argv: list[str]) -> int:
    """Parse the program's arguments and run it."""
    meter = Meter() if is_metered(name) else None
    module = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
    parser = CommandParser(f"asdkit {name}", module.__doc__)
    parser.add_argument(
        "--log-level",
        default="INFO",
        choices=("DEBUG", "INFO", "WARNING"),
        help="least severe message to show (default: INFO)",
    )
    module.add_arguments(parser)
    if module.main.__annotations__.get("return") in ("Table", "Answer"):
        text = "print the tables as JSON, numbers unrounded (default: false)"
        parser.add_argument("--json", action="store_true", help=text)
    parser.usage = one_line_usage(parser)
    args = parser.parse(argv)
    set_up_logging(args.log_level)
    logger.info("%s", command_line())
    join()
    given = parser.given(args)
    # Ranks that have met hear of it when the first one finds the output unusable.
    with hold(*outputs_of(args)), measuring() as measured:
        if meter is not None:
            meter.watch_power()
        try:
            answer = module.main(args)
            _record(name, given, answer, measured, meter)
        except CheckFailed as failed:
            _print(failed.answer, getattr(args, "json", False))
            _record(name, given, failed.answer, measured, meter)
            raise
        finally:
            if meter is not None:
                meter.end()
    if answer is not None:
        _print(answer, getattr(args, "json", False))
    return 0


def _print(answer: Answer, in_json: bool) -> None:
    """Print an answer for people, or as JSON where this is asked for."""
    if in_json and not isinstance(answer, str):
        print(as_json(answer))
    else:
        print(as_text(answer, WIDTH if sys.stdout.isatty() else None))
    sys.stdout.flush()  # before an error that follows


def _record(
    name: str,
    given: Given,
    answer: Answer | None,
    measured: Measured,
    meter: Meter | None,
) -> None:
    """Leave beside a run's output what it has measured, and what it has cost."""
    if meter is None and name not in MEASURING:
        return
    cost = meter.stop() if meter is not None else None  # on all ranks together
    if not is_main():
        return
    from asdkit.io.run_costs import append_run_cost
    from asdkit.report.recording import Run, record

    *_, last = given.arguments  # the output comes last
    outputs = given.arguments[MEASURING.get(name, last)]
    run = Run(name, outputs, name in MEASURING, given.inputs, given.options)
    if cost is not None:
        append_run_cost(outputs[0], {"program": name, **cost, **provenance()})
    record(run, answer, measured, cost)


if __name__ == "__main__":
    sys.exit(main())
