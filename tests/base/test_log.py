import logging
import subprocess
import sys

CODE = """
import logging
from asdkit.base.log import set_up_logging
set_up_logging()
logging.getLogger("asdkit.x").info("ours")
logging.getLogger("other").info("theirs")
logging.getLogger("asdkit.x").warning("careful")
"""


def said(rank):
    env = {"RANK": str(rank), "WORLD_SIZE": "2"}
    return subprocess.run(
        [sys.executable, "-c", CODE],
        env={**env, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )


def test_rank_0_says_all_on_stderr_and_others_only_warn():
    first, second = said(0), said(1)
    assert first.stdout == second.stdout == ""
    lines = first.stderr.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["ours", "careful"]
    assert " INFO [<string>:5] ours" in lines[0]
    (line,) = second.stderr.splitlines()
    assert " WARNING rank 1 [<string>:7] careful" in line


def test_other_libraries_are_heard_from_warnings_on():
    assert logging.getLogger("lhotse").getEffectiveLevel() == logging.WARNING
