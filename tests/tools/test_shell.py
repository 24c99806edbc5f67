"""The grammar of a recipe, as a user meets it."""

import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
RECIPE = """#!/usr/bin/env bash
# A recipe that says what it does.
#
#   ./run.sh --num-gauss 8

num_gauss=32
corpus=

. stages.sh
. parse_options.sh
set -euo pipefail

if stage 0 "prepare"; then echo "prepare $corpus"; fi
if stage 1 "train"; then echo "train $num_gauss"; fi
if stage 2 "fail"; then false; fi
if stage 3 "score"; then echo score; fi
"""


@pytest.fixture
def run(tmp_path):
    script = tmp_path / "run.sh"
    script.write_text(RECIPE)

    def run(*arguments):
        return subprocess.run(
            ["bash", str(script), *arguments],
            capture_output=True,
            text=True,
            env={"PATH": f"{TOOLS}:/usr/bin:/bin"},
        )

    return run


def test_stages_run_from_stage_to_stop_stage(run):
    done = run("--stage", "0", "--stop-stage", "1", "--corpus", "/a b")
    assert (done.returncode, done.stdout) == (0, "prepare /a b\ntrain 32\n")
    assert "run.sh: stage 1: train" in done.stderr


def test_a_failing_stage_stops_the_recipe(run):
    done = run()
    assert done.returncode == 1
    assert "score" not in done.stdout


def test_an_option_sets_its_variable(run):
    assert run("--num-gauss", "8", "--stop-stage", "1").stdout.endswith("train 8\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stag", "4"], "run.sh: unknown option --stag; see --help"),
        (["--stage=4"], "run.sh: write '--stage 4', not '--stage=4'"),
        (["--num-gauss"], "run.sh: option --num-gauss needs a value"),
        (["--stage", "four"], "run.sh: --stage takes a number, not 'four'"),
        (["4"], "run.sh: unexpected argument '4'; see --help"),
        (["--path", "x"], "run.sh: unknown option --path; see --help"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run, arguments, message):
    done = run(*arguments)
    assert (done.returncode, done.stderr.strip()) == (2, message)


def test_help_is_the_comment_and_the_options(run):
    text = run("--help").stdout
    assert text.startswith("A recipe that says what it does.\n")
    assert "--num-gauss 32" in text
    assert "--stop-stage 99" in text
