"""Lists of spoofed speech, from a corpus or from another recipe."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/prepare_spoof_lists.sh"
PARTS = ("train", "dev", "eval")
# An asdkit that notes how it is called; dev leaks.
ASDKIT = """#!/bin/sh
echo "$@" >>calls
[ "$1 $2" != "leak-check {data}/dev" ]
"""


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (
            ["la", "/corpora/x", "a b", ""],
            "spoof-prepare --corpus la --part {} /corpora/x",
        ),
        (["la", "/corpora/x", "a b", "../v1"], "data-copy ../v1/{}"),
    ],
)
def test_lists_are_made_validated_and_searched_for_leaks(tmp_path, arguments, first):
    program = tmp_path / "bin/asdkit"
    program.parent.mkdir()
    program.write_text(ASDKIT.format(data="a b"))
    program.chmod(0o755)
    env = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [SCRIPT, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == "prepare_spoof_lists.sh: dev has leaks, see RESULTS.md\n"
    assert (tmp_path / "calls").read_text().splitlines() == [
        *(f"{first.format(part)} a b/{part}" for part in PARTS),
        "data-validate a b/train a b/dev a b/eval",
        *(f"leak-check a b/{part}" for part in PARTS),
    ]
