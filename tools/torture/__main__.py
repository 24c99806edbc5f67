"""Run bad inputs, kills and uploads, and print the table of what came of them.

    tools/torture.sh                         1,000 inputs, 50 kills, 300 uploads
    tools/torture.sh --inputs 200 --kills 0  fewer inputs, no kill
    tools/torture.sh --inputs 0 --kills 0    uploads to a server only
    tools/torture.sh --only npz,hostile      some kinds of input only
    tools/torture.sh --seed 1 --case 345     one of the cases of a seed again

Exit code 1 if anything was a fault: a traceback, a wrong result without a word, a hang,
an unclear message, something left over or let in, a file that differs after a kill.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import shlex
import shutil
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from torture.cases import KINDS, Case, Cases
from torture.kills import GOOD_END, KILL_WORDS, torment_recipe
from torture.probes import PROBES, learn
from torture.runs import import_everything, run
from torture.trees import Tree, changes, take_stamps
from torture.uploads import BAD_UPLOADS, GOOD_UPLOADS, torment_server
from torture.verdicts import BAD, GOOD, Verdict, judge, judge_resumed
from torture.world import build


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="torture.sh",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inputs", type=int, default=1000, help="number of bad inputs")
    parser.add_argument("--kills", type=int, default=50, help="number of kill -9")
    parser.add_argument("--uploads", type=int, default=300, help="number to a server")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random")
    parser.add_argument("--only", default=",".join(KINDS), help="kinds of input")
    parser.add_argument("--case", type=int, help="this one only, and say all of it")
    parser.add_argument("--keep", help="directory to work in, which is kept")
    parser.add_argument("--verbose", action="store_true", help="a line for every case")
    return parser.parse_args()


def main() -> int:
    """Run everything; return the exit code."""
    args = parse()
    with contextlib.ExitStack() as stack:
        if args.keep:
            work = Path(args.keep).resolve()
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
        else:
            # Not a TemporaryDirectory: the programs, forks of this one, would remove it
            # among what they do at their end.
            work = Path(tempfile.mkdtemp(prefix="torture."))
            stack.callback(shutil.rmtree, work, ignore_errors=True)
        counts: collections.Counter[tuple[str, str]] = collections.Counter()
        deaths: collections.Counter[str] = collections.Counter()
        uploaded: collections.Counter[str] = collections.Counter()
        if args.inputs or args.case is not None:
            torment(args, work, counts)
        if args.kills and args.case is None:
            deaths = kill_all(args, work)
        if args.uploads and args.case is None:
            uploaded = upload_all(args, work)
    if counts:
        print_table(counts)
    if deaths:
        print_kills(deaths)
    if uploaded:
        words = ", ".join(f"{uploaded[x]} {x}" for x in (*GOOD_UPLOADS, *BAD_UPLOADS))
        print(f"uploads: {uploaded.total()} tried: {words}")
    is_bad = any(word in BAD for _, word in counts)
    is_bad |= any(word in BAD_UPLOADS for word in uploaded)
    return int(is_bad or any(word != GOOD_END for word in deaths))


def torment(
    args: argparse.Namespace, work: Path, counts: collections.Counter[tuple[str, str]]
) -> None:
    """Run the bad inputs; count (kind, verdict), and print what is a fault."""
    import_everything()
    logs = work / "logs"
    logs.mkdir()
    build(work / "world", logs)
    tree = Tree(work / "world", work / "pristine")
    for probe in PROBES:
        learn(probe, tree, logs)
    print(f"torture: {len(PROBES)} commands give twice the same", flush=True)
    cases = iter(Cases(PROBES, tree.root, args.seed))
    if args.case is not None:
        chosen = islice(cases, args.case, args.case + 1)
    else:
        kinds = args.only.split(",")
        chosen = islice((x for x in cases if x.kind in kinds), args.inputs)
    for case in chosen:
        start = time.monotonic()
        verdict = try_case(case, tree, logs)
        if verdict is None:
            continue
        seconds = time.monotonic() - start
        counts[case.kind, verdict.word] += 1
        if verdict.elsewhere:
            counts[case.kind, "elsewhere"] += 1
        if verdict.word in BAD or args.verbose or args.case is not None:
            command = shlex.join(case.argv)
            print(
                f"{verdict.word}: case {case.number} ({case.kind}: {case.name}): "
                f"{command[:300]}: {verdict.reason} ({seconds:.1f} s)",
                flush=True,
            )
        if args.case is not None:
            print((logs / "stderr").read_text(errors="replace"))


def try_case(case: Case, tree: Tree, logs: Path) -> Verdict | None:
    """Spoil the world, run, judge, restore it; None if there is nothing to spoil."""
    try:
        spoilt = case.spoil(tree.root)
        if not spoilt and case.kind != "options":
            return None
        before = take_stamps(tree.root)
        done = run(case.argv, tree.root, logs)
        verdict = judge(case.probe, done, tree, before, spoilt, case.is_open)
        if verdict.word == "refused" and changes(before, take_stamps(tree.root)):
            tree.repair(spoilt)
            again = run(case.probe.argv, tree.root, logs)
            verdict = judge_resumed(case.probe, again, tree) or verdict
        return verdict
    finally:
        tree.restore()


def kill_all(args: argparse.Namespace, work: Path) -> collections.Counter[str]:
    """Run the kills; count the verdicts, and print what is a fault."""
    deaths: collections.Counter[str] = collections.Counter()
    for stage, word, reason in torment_recipe(work / "kills", args.kills, args.seed):
        deaths[word] += 1
        if word != GOOD_END or args.verbose:
            print(f"{word}: kill {deaths.total()} ({stage}): {reason}", flush=True)
    return deaths


def upload_all(args: argparse.Namespace, work: Path) -> collections.Counter[str]:
    """Send the uploads; count the verdicts, and print what is a fault."""
    uploaded: collections.Counter[str] = collections.Counter()
    folder = work / "uploads"
    for name, word, reason in torment_server(folder, args.uploads, args.seed):
        uploaded[word] += 1
        if word in BAD_UPLOADS or args.verbose:
            count = uploaded.total()
            print(f"{word}: upload {count} ({name}): {reason}", flush=True)
    return uploaded


def print_kills(deaths: collections.Counter[str]) -> None:
    """Print what came of the kills."""
    found = ", ".join(f"{deaths[word]} {word}" for word in KILL_WORDS)
    print(f"kills: {deaths.total()} tried: {found}")


def print_table(counts: collections.Counter[tuple[str, str]]) -> None:
    """Print how often each kind of input had each verdict."""
    words = [*GOOD, *BAD]
    rows = [["input", "tried", *words, "elsewhere"]]
    for kind in [*sorted({kind for kind, _ in counts}), "all"]:
        own = [
            sum(n for (k, w), n in counts.items() if w == word and kind in (k, "all"))
            for word in [*words, "elsewhere"]
        ]
        rows.append([kind, *map(str, [sum(own[:-1]), *own])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(x.rjust(w) for x, w in zip(row, widths, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
