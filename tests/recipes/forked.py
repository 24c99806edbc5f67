"""`asdkit` for the recipes of tests: forks of a process that has imported all of it.

A recipe starts dozens of processes, each of which imports PyTorch for a second or two;
that is most of what most tests of recipes do.  This is a server; a client of a few
lines (conftest.py) stands on the PATH as `asdkit`, hands its arguments, directory,
environment and streams over, and exits with the status that comes back.

    python tests/recipes/forked.py SOCKET    # prints "ready"

Signals are not passed on: what is to be interrupted needs the real one, and so does
what asks how a process starts (tests/test_start_up.py).
"""

import array
import atexit
import json
import os
import signal
import socket
import sys
from pathlib import Path


def serve(address):
    """Import what programs import, then fork for every call."""
    from asdkit.base.blas import choose_kernels
    from asdkit.base.threads import let_threads_yield

    choose_kernels()
    let_threads_yield()
    for name in ("lhotse", "scipy.linalg", "scipy.signal", "scipy.stats", "torch"):
        __import__(name)
    for path in (Path(__file__).parents[2] / "asdkit" / "bin").glob("[a-z]*.py"):
        __import__(f"asdkit.bin.{path.stem}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing waits for the children
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            call, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                answer(call)
            call.close()


def answer(call):
    """Run a call in this process, which ends with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    streams = array.array("i")
    size, ((_, _, sent),), *_ = call.recvmsg(8, socket.CMSG_SPACE(3 * streams.itemsize))
    streams.frombytes(sent)
    words, left = b"", int.from_bytes(size, "big")
    while len(words) < left:
        words += call.recv(left - len(words))
    arguments, directory, environment = json.loads(words)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["asdkit", *arguments]
    status = 1
    try:
        from asdkit.__main__ import main

        status = main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        call.sendall(str(status or 0).encode())
        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
