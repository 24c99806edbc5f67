"""Time a server: answers a second, and the time that one in a hundred waits longer for.

    python tools/bench/serving.py                     a small network, 1 and 32 clients
    python tools/bench/serving.py --model model/      a bundle of yours
    python tools/bench/serving.py --clients 8 --requests 400 --seconds 5

Clients are threads of this process with a connection each; each asks /verify about two
recordings of noise, again and again.  Beside it the same by the library alone, one
after the other.  With and without batches.  The server has a process and a thread of
ONNX Runtime; clients take processor time, too.

Found (2026-12-01, onnxruntime 1.32.0, two cores that others used, x-vector network of
16 channels, recordings of 3 s), processor time of an answer: library 7.7 ms; server
8.8 ms without batches, 10.0 in batches of 4, 11.4 of 16.  With 32 clients 21 answers a
second (the library: 20), p99 2.1 s: the queue, 32 requests over the throughput.
"""

from __future__ import annotations

import argparse
import http.client
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import soundfile

from asdkit.inference.bundle import Bundle

TOKEN = "a-token-for-the-benchmark"


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="a bundle (default: an untrained network)")
    parser.add_argument("--clients", type=int, default=32, help="at the same time")
    parser.add_argument("--requests", type=int, default=320, help="of all clients")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a recording")
    text = "largest batches"
    parser.add_argument("--max-batch", type=int, nargs="+", default=[1, 4], help=text)
    return parser.parse_args()


def make_bundle(folder: Path) -> Path:
    """Make a bundle of an untrained network."""
    sys.path.append(str(Path(__file__).parents[1]))
    from untrained import write_bundle, write_untrained

    from asdkit.features.mel import Fbank

    network = {"name": "xvector", "channels": 16}
    write_untrained(folder / "net", network, Fbank(dither=0.0))
    return write_bundle(folder)


def make_form(sounds: list[bytes]) -> bytes:
    """Write two recordings as multipart/form-data."""
    parts = []
    for name, sound in zip(("enroll", "test"), sounds, strict=True):
        head = f'form-data; name="{name}"; filename="{name}.wav"\r\n\r\n'
        parts += [b"--x\r\nContent-Disposition: " + head.encode(), sound, b"\r\n"]
    return b"".join([*parts, b"--x--\r\n"])


def start(model: str, folder: Path, *words: str) -> tuple[subprocess.Popen, int]:
    """Start a server; return its process and its port."""
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    argv = [sys.executable, "-m", "asdkit", "serve", "--model", model, "--port", "0"]
    argv += ["--token", str(folder / "token"), "--log-level", "WARNING", *words]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    child = subprocess.Popen(argv, **pipes, text=True)
    for line in child.stderr:
        if found := re.search(r":(\d+)/$", line):
            return child, int(found[1])
    raise SystemExit(f"no server: {line}")


def ask_all(port: int, form: bytes, num_clients: int, number: int) -> list[float]:
    """Let clients ask; return how long each answer took, in seconds."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    headers["Content-Type"] = "multipart/form-data; boundary=x"
    barrier = threading.Barrier(num_clients)

    def client(_: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        barrier.wait()
        times = []
        for _ in range(number // num_clients):
            begin = time.perf_counter()
            connection.request("POST", "/verify", form, headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            times.append(time.perf_counter() - begin)
        return times

    with ThreadPoolExecutor(num_clients) as pool:
        return [x for times in pool.map(client, range(num_clients)) for x in times]


def report(name: str, times: list[float], wall: float, cpu: float) -> None:
    """Print a row."""
    median, worst = (1e3 * np.percentile(times, x) for x in (50, 99))
    row = f"{name:30} {len(times) / wall:9.1f} {median:10.1f} {worst:10.1f}"
    print(f"{row} {1e3 * cpu / len(times):10.1f}", flush=True)


def cpu_of(process: int) -> float:
    """Processor time of another process, in seconds."""
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print a table."""
    args = parse()
    rng = np.random.default_rng(0)
    sounds = []
    for _ in range(2):
        stream = io.BytesIO()
        noise = rng.normal(0, 0.1, round(args.seconds * 16000))
        soundfile.write(stream, noise, 16000, format="WAV")
        sounds.append(stream.getvalue())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = args.model or str(make_bundle(folder))
        titles = f"{'':30} answers/s  median ms     p99 ms     CPU ms"
        print(titles)
        for n, sound in enumerate(sounds):
            (folder / f"{n}.wav").write_bytes(sound)
        bundle, times = Bundle.open(model), []
        bundle.verify(folder / "0.wav", folder / "1.wav")  # opens its graphs
        begin, cpu = time.perf_counter(), time.process_time()
        for _ in range(max(10, args.requests // 10)):
            before = time.perf_counter()
            bundle.verify(folder / "0.wav", folder / "1.wav")
            times.append(time.perf_counter() - before)
        wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
        report("library, one after the other", times, wall, cpu)
        form = make_form(sounds)
        for most in args.max_batch:
            child, port = start(model, folder, "--max-batch", str(most))
            ask_all(port, form, 1, 5)
            for num_clients in (1, args.clients):
                number = args.requests if num_clients > 1 else args.requests // 4
                begin, cpu = time.perf_counter(), cpu_of(child.pid)
                times = ask_all(port, form, num_clients, number)
                wall, cpu = time.perf_counter() - begin, cpu_of(child.pid) - cpu
                report(f"batches of {most}, {num_clients} clients", times, wall, cpu)
            child.terminate()
            child.wait()


if __name__ == "__main__":
    main()
