import subprocess
import sys

COUNT = """
import gc, sys
from asdkit.base.garbage import collect_seldom
kinds = []
gc.callbacks.append(lambda phase, info: kinds.append(info["generation"]))
if sys.argv[1] == "seldom":
    collect_seldom()
    collect_seldom()
kept = [[] for _ in range(100_000)]
print(len(kinds))
"""
AT_EXIT = """
import gc
from asdkit.base.garbage import collect_seldom
gc.set_threshold(0) if {unset} else None
collect_seldom()
print(gc.get_threshold()[0])
class Loud:
    def __del__(self):
        print("collected")
loud = Loud()
loud.itself = loud
import atexit
atexit._run_exitfuncs()
gc.collect()
print(gc.get_freeze_count() > 0)
"""


def output(code, *words):
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_what_stays_is_looked_through_more_seldom():
    """A fourteenth as often; from Python 3.13 on, a fifth."""
    (often,), (seldom,) = output(COUNT, "often"), output(COUNT, "seldom")
    assert 0 < 4 * int(seldom) <= int(often)


def test_the_end_does_not_look_through_what_is_there():
    assert output(AT_EXIT.replace("{unset}", "False"))[:2] == ["10000", "True"]


def test_who_has_turned_collection_off_keeps_it_off():
    assert output(AT_EXIT.replace("{unset}", "True"))[:2] == ["0", "False"]
