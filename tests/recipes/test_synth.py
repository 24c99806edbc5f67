"""egs/synth as a user runs it, from nothing to its tables; v1 also interrupted."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asdkit.io.tables import read_table

ROOT = Path(__file__).parents[2]
NUM_STAGES = 17
TRACEBACK = re.compile(r"Traceback.*\n(?:  .*\n)*.*")


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    return copied(tmp_path, "synth/v1")


def run(recipe, *options):
    command = ["./run.sh", *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def tracebacks(message):
    """Find those for which asdkit is to blame.

    A program answers Ctrl-C in one line from main() on; before that it is Python, which
    still imports, and after it Python, which ends, that answers; a callback of its
    import system ends in "KeyboardInterrupt: ".
    """
    answered = re.compile(r'__main__\.py", line \d+, in (main|_run|_find_and_run)\b')
    return [
        text
        for text in TRACEBACK.findall(message)
        if answered.search(text) or not text.rstrip(": ").endswith("KeyboardInterrupt")
    ]


def equal_error_rates(table):
    """Read the EER column: (system, back-end) -> percent."""
    row = r"^exp/([a-z]+)_\S*/scores_(\w+)\s+(\d+\.\d+)"
    rows = re.findall(row, table, re.MULTILINE)
    return {(system, backend): float(eer) for system, backend, eer in rows}


def countermeasures(table):
    """Read the tables' last part: (CM, condition) -> EER in percent, min t-DCF."""
    rows = [re.split(" {2,}", line) for line in table.splitlines()]
    header = next(cells for cells in rows if cells[:2] == ["scores", "condition"])
    columns = header.index("EER %"), header.index("min t-DCF(2021)")
    return {
        (cells[0].split("_")[1], cells[1]): tuple(float(cells[i]) for i in columns)
        for cells in rows
        if cells[0].startswith("exp/cm_")
    }


@pytest.mark.slow
def test_the_recipe_ends_in_tables_as_they_should_be(recipe, by_stage):
    """PLDA beats cosine, and known attacks are told better than the unseen A04."""
    table = by_stage(recipe)
    found = equal_error_rates(table)
    cosines = {"ivectors": "whitened_cosine", "network": "cosine"}
    assert [*found] == [(x, y) for x in cosines for y in ("plda", cosines[x])]
    for system, cosine in cosines.items():
        assert 0 < found[system, "plda"] < 12
        assert found[system, "plda"] < found[system, cosine] < 30
    spoofs = countermeasures(table)
    attacks = [f"attack A0{i}" for i in range(1, 5)]
    assert len(spoofs) == 2 * (1 + len(attacks))
    for cm in ("gmm", "network"):
        *known, unseen = (spoofs[cm, attack] for attack in attacks)
        assert max(eer for eer, _ in known) < 15
        assert max(eer for eer, _ in known) < unseen[0] < 45
        assert max(tdcf for _, tdcf in known) < unseen[1] < 1
        assert 0 < spoofs[cm, "pooled"][0] < unseen[0]
    a_bundle_decides(recipe)


def a_bundle_decides(recipe):
    """A user of the bundle compares recordings of one speaker, and of two."""
    run(recipe, "--stage", "17", "--bundle", "true")
    wavs = recipe / "exp" / "wav" / "test"
    first, same, other = (
        f"{wavs}/{spk}/{spk}-0{session}-01.flac"
        for spk, session in (("test0001", 1), ("test0001", 2), ("test0002", 1))
    )
    command = [sys.executable, "-m", "asdkit", "verify", "--json", "--model"]
    llrs = []
    for test in (same, other):
        done = subprocess.run(
            [*command, "exp/model", first, test],
            cwd=recipe,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        ((row,),) = (table["rows"] for table in json.loads(done.stdout))
        llrs.append(row["score"])
    assert llrs[0] > llrs[1]


@pytest.mark.slow
def test_a_stage_that_is_interrupted_can_be_run_again(recipe, forked):
    """Ctrl-C in the middle of each stage, then again: the same as if nothing was."""
    sizes = ["--num-train-spks", "16", "--num-test-spks", "6", "--num-gauss", "8"]
    sizes += ["--ivector-dim", "10", "--lda-dim", "5", "--num-epochs", "3"]
    sizes += ["--num-dev-spks", "2", "--num-cm-epochs", "2"]
    undisturbed = run(recipe, *sizes)
    shutil.rmtree(recipe / "data")
    shutil.rmtree(recipe / "exp")
    for stage in range(NUM_STAGES):
        only = [*sizes, "--stage", str(stage), "--stop-stage", str(stage)]
        process = subprocess.Popen(
            ["./run.sh", *only],
            cwd=recipe,
            env=os.environ | {"PATH": forked},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        for line in process.stderr:
            if " INFO [__main__" in line:
                break  # Python itself has started: that has no message of its own
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        message = process.communicate()[1]
        assert process.returncode in (0, 130, -signal.SIGINT), message
        assert not tracebacks(message)
        table = run(recipe, *only)
        leftovers = [path for path in recipe.rglob(".*") if ".tmp" in path.name]
        assert not leftovers
    assert table == undisturbed


TINY = """\
--network=xvector
--channels=8
--embedding-dim=8
--batch-size=8
--chunk-frames=50
--num-epochs=1
"""


@pytest.fixture
def controlled(tmp_path, copied):
    """Copy v2 with a tiny student and back-ends for few speakers."""
    v2 = copied(tmp_path, "synth/v2")
    (v2 / "conf" / "tiny.conf").write_text(TINY)
    for name in ("plda", "target_lda"):
        with (v2 / "conf" / f"{name}.conf").open("a") as file:
            file.write("--lda-dim=2\n")
    return v2


@pytest.mark.slow
def test_v2_compares_students_of_equally_many_utterances(controlled, by_stage):
    sizes = ["--sizes", "4 8", "--num-utts", "32", "--mean-sec", "1"]
    sizes += ["--num-dev-spks", "4", "--num-test-spks", "6"]
    sizes += ["--num-gauss", "4", "--ivector-dim", "4", "--student", "tiny"]
    said = by_stage(controlled, *sizes)
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (\d) ", said, re.MULTILINE)
    ivectors = [
        (f"ivectors, {x}", "1") for x in ("plda", "target_lda", "whitened_cosine")
    ]
    students = [(f"tiny {way}, cosine", "2") for way in ("none", "pooled_ratio")]
    expected = [(size, *row) for size in "48" for row in (*ivectors, *students)]
    assert rows == expected
    compared = re.findall("^pooled_ratio +none +EER %", said, re.MULTILINE)
    assert len(compared) == 4, said
    parts = {path.name: path for path in (controlled / "data").iterdir()}
    speakers = {x: set(read_table(parts[x] / "spk2gender")) for x in parts}
    assert speakers["train_4"] < speakers["train_8"]
    assert not speakers["train_8"] & (speakers["dev"] | speakers["test"])
    for part in ("train_4", "train_8"):
        assert len(read_table(parts[part] / "utt2session")) == 32
    sessions_of_trials_are_as_named(parts["test"])


def sessions_of_trials_are_as_named(test):
    """Targets of one list share their session, those of the other never do."""
    for name, is_same in (("within", True), ("across", False)):
        lines = (test / f"trials_{name}").read_text().splitlines()
        targets = [x.split() for x in lines if x.endswith(" target")]
        assert len(targets) == {"within": 6 * 4, "across": 6 * 6 * 4}[name]
        for enroll, tested, _ in targets:
            assert (enroll[:-3] == tested[:-3]) == is_same
