import platform
import subprocess
import sys

import pytest

TAKE_AND_FREE = """
import resource, sys
import torch
from asdkit.base.memory import keep_freed
if sys.argv[1] == "keep":
    keep_freed()
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def take(times):
    for _ in range(times):
        block = torch.ones(2**22)  # 16 MiB
        del block
take(10)  # it takes some to find their place
before = pages()
take(10)
print((pages() - before) * resource.getpagesize() / 2**24)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_what_is_freed_is_not_asked_for_again():
    """Without it, most of ten blocks are new."""

    def fresh_blocks(how):
        command = [sys.executable, "-c", TAKE_AND_FREE, how]
        return float(subprocess.run(command, capture_output=True, check=True).stdout)

    assert fresh_blocks("keep") < 0.01 + 0.1 * fresh_blocks("give back")
