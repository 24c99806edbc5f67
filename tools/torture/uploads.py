"""Hostile uploads to a server of a bundle: forms, sounds, names, and what is no HTTP.

Each gets an answer with finite numbers or one line of JSON that refuses it, in time;
and the server answers others as before.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from torture.hostile import IDS
from torture.mutations import MUTATIONS

TOKEN = "a-token-to-be-tortured-with"
LIMITS = ["--max-mb", "1", "--max-sec", "8", "--max-files", "4", "--patience-sec", "2"]
MOST_SEC = 12.0  # for an answer, or an end: patience with heads is 10 s
MOST_MB = 1500  # of the server's memory
EVERY = 10  # uploads between two looks at whether others are served as before
GOOD_UPLOADS = ("answered", "refused", "closed")
BAD_UPLOADS = ("failed", "unclear", "hung", "wrong", "dead", "large")
FORM = "multipart/form-data; boundary=x"


def sound(kind: str, seconds: float = 1.0, **options: object) -> bytes:
    """Encode noise, the same at every call."""
    noise = np.random.default_rng(0).normal(0, 0.1, round(16000 * seconds))
    stream = io.BytesIO()
    soundfile.write(stream, noise.astype("f4"), 16000, format=kind.upper(), **options)
    return stream.getvalue()


def part(field: str, content: bytes, name: str | None = None) -> bytes:
    """Write a field of a form."""
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"'
    head += f'; filename="{name}"' if name is not None else ""
    return head.encode("utf-8", "replace") + b"\r\n\r\n" + content + b"\r\n"


def request(
    path: str, body: bytes, kind: str = FORM, method: str = "POST", more: str = ""
) -> bytes:
    """Write a request of HTTP with the token."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Connection: close\r\nContent-Type: {kind}\r\n{more}"
    if "length" not in more.lower() and "chunked" not in more:
        head += f"Content-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def detect(content: bytes, name: str = "a.wav") -> bytes:
    """Write a request about one sound."""
    return request("/detect", part("audio", content, name) + b"--x--\r\n")


def uploads(seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and requests without end, those that are made by hand first."""
    yield from _by_hand()
    rng = random.Random(f"{seed} uploads")
    kinds = {kind: sound(kind) for kind in ("wav", "flac", "mp3")}
    while True:
        kind = rng.choice(list(kinds))
        mutation = rng.choice(MUTATIONS[kind])
        if (changed := mutation(kinds[kind], rng)) is not None:
            yield f"{mutation.__name__} {kind}", detect(changed, f"a.{kind}")
        mutation = rng.choice(MUTATIONS["flac"])  # these damage anything
        whole = detect(kinds["wav"])
        place = rng.randrange(whole.index(b"\r\n\r\n"))
        if (changed := mutation(whole[place:], rng)) is not None:
            yield f"{mutation.__name__} the request", whole[:place] + changed


def _by_hand() -> Iterator[tuple[str, bytes]]:
    """What one thinks of: one request after the other."""
    wav, end = sound("wav"), b"--x--\r\n"
    audio = part("audio", wav, "a.wav")
    for name, value in IDS.items():
        yield f"a file called {name}", detect(wav, str(value))
        field = part("name", str(value).encode("utf-8", "replace"))
        yield f"a person called {name}", request("/enroll", field + audio + end)
    yield "a rate of 10^9", detect(wav[:24] + (10**9).to_bytes(4, "little") + wav[28:])
    yield "a rate of 0", detect(wav[:24] + bytes(4) + wav[28:])
    yield "an odd rate", detect(wav[:24] + (767999).to_bytes(4, "little") + wav[28:])
    yield "a header of 2 GB", detect(wav[:40] + b"\xff\xff\xff\x7e" + wav[44:])
    yield "1024 channels", detect(wav[:22] + (1024).to_bytes(2, "little") + wav[24:])
    for name, value in (("NaN", np.nan), ("infinity", np.inf), ("1e30", 1e30)):
        stream = io.BytesIO()
        samples = np.full(16000, value, "f4")
        # A WAV of these would hold the time of its making.
        soundfile.write(stream, samples, 16000, format="AU", subtype="FLOAT")
        yield f"{name} as samples", detect(stream.getvalue())
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(9600000, "i2"), 16000, format="FLAC")
    yield "ten minutes of silence in a few kB", detect(stream.getvalue())
    flac = bytearray(sound("flac"))
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    yield "a FLAC that does not say how long it is", detect(bytes(flac))
    yield "no sound", detect(bytes(16000))
    yield "an empty file", detect(b"")
    yield "many files", request("/detect", audio * 20 + end)
    yield "many fields", request("/detect", part("audio", b"x") * 2000 + end)
    yield "a field of 500 kB", request("/detect", part("channel", b"9" * 500000) + end)
    for field in ("", "Audio", "__init__", "audio[]", "a" * 5000, "\0"):
        yield f"a field {field[:9]!r}", request("/detect", part(field, wav, "a") + end)
    for channel in (b"-1", b"1e9", b"99", b"\xff", b"0x0", b" 0"):
        body = part("channel", channel) + audio + end
        yield f"channel {channel!r}", request("/detect", body)
    yield "no end", request("/detect", audio)
    yield "no boundary", request("/detect", audio + end, "multipart/form-data")
    long = "multipart/form-data; boundary=" + "x" * 5000
    yield "a long boundary", request("/detect", audio + end, long)
    yield "a form of JSON", request("/detect", b"[" * 100000, "application/json")
    yield "compressed", request("/detect", audio, more="Content-Encoding: gzip\r\n")
    yield "2 MB", request("/detect", part("audio", bytes(2 << 20), "a.wav") + end)
    for length in ("-1", "1e3", "9" * 40, "10, 20", "100000000"):
        more = f"Content-Length: {length}\r\n"
        yield f"a length of {length[:9]}", request("/detect", audio + end, more=more)
    chunked = "Transfer-Encoding: chunked\r\n"
    for size in (b"ffffffffffffffff", b"-5", b"zz", b"5;" + b"x" * 90000):
        body = size + b"\r\nhello\r\n0\r\n\r\n"
        yield f"a chunk of {size[:9]!r}", request("/detect", body, more=chunked)
    head = part("audio", b"", "a.wav")[:-2]
    endless = b"".join(b"10000\r\n" + bytes(65536) + b"\r\n" for _ in range(40))
    first = b"%x\r\n" % len(head) + head + b"\r\n"
    yield "no end of chunks", request("/detect", first + endless, more=chunked)
    whole = detect(wav)
    yield "half a request", whole[: len(whole) // 2]
    yield "half a head", whole[:40]
    yield "nothing", b""
    yield "no token", whole.replace(TOKEN.encode(), b"x")
    yield "a long head", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 300000
    yield "many heads", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20000
    yield "TLS", bytes.fromhex("16030100") + bytes(200)
    yield "two requests in one", whole.replace(b"close", b"keep-alive") * 2
    for path in ("/../../etc/passwd", "/%2e%2e/etc/passwd", "/profiles/..%2f..", "//"):
        yield f"GET {path}", request(path, b"", method="GET")
    for method in ("PUT", "DELETE", "TRACE", "X" * 500):
        yield f"{method[:9]} /detect", request("/detect", b"", method=method)


def judge(answer: bytes, seconds: float) -> tuple[str, str]:
    """Say in a word of `GOOD_UPLOADS` or `BAD_UPLOADS` what came of it, and why."""
    if seconds > MOST_SEC:
        return "hung", f"{seconds:.1f} s"
    if not answer:
        return "closed", ""
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    status = int(found[1]) if found else 0
    if not 200 <= status < 500 and status != 501:
        return "failed", f"status {status}"
    if status in (200, 204) and b"application/json" not in head:
        return "answered", ""
    length = re.search(rb"content-length: (\d+)", head.lower())
    body = body[: int(length[1])] if length else body
    try:
        said = json.loads(body, parse_constant=_refuse)
    except ValueError:
        return "unclear", f"{body[:100]!r} is no JSON"
    if status == 200:
        return "answered", ""
    is_clear = body.count(b"\n") == 1 and said.keys() <= {"error", "hint"}
    is_clear &= b"/tmp" not in body and b"Traceback" not in body and len(body) < 2000
    return ("refused", "") if is_clear else ("unclear", f"{body[:200]!r}")


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


class Server:
    """A server in a process of its own.

    Args:
        model: its bundle.
        folder: for its token, speakers and log.
    """

    def __init__(self, model: Path, folder: Path) -> None:
        (folder / "token").write_text(TOKEN)
        (folder / "token").chmod(0o600)
        self.log = folder / "server.log"
        argv = [sys.executable, "-m", "asdkit", "serve", "--model", str(model)]
        argv += ["--port", "0", "--token", str(folder / "token"), *LIMITS]
        argv += ["--profiles", str(folder / "people.sqlite")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while not (found := re.search(r":(\d+)/\n", self.log.read_text())):
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"torture: no server: {self.log.read_text()}")
            time.sleep(0.1)
        self.port = int(found[1])

    def ask(self, data: bytes) -> tuple[bytes, float]:
        """Send bytes; return what came until the end, and how long it took."""
        start, found = time.monotonic(), b""
        with contextlib.suppress(OSError):
            address = ("127.0.0.1", self.port)
            with socket.create_connection(address, timeout=MOST_SEC + 3) as client:
                with contextlib.suppress(OSError):
                    client.sendall(data)
                while block := client.recv(65536):
                    found += block
        return found, time.monotonic() - start

    def peak_mb(self) -> float:
        """The most memory that it had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(peak[1]) / 1000 if peak else 0.0


def torment_server(
    work: Path, number: int, seed: int
) -> Iterator[tuple[str, str, str]]:
    """Send uploads; yield (name, word, reason) of each, and of the server's end."""
    from untrained import write_bundle, write_pair  # it takes a while: torch

    write_pair(work)
    model = write_bundle(work)
    server = Server(model, work)
    files = part("enroll", sound("wav"), "a.wav")
    files += part("test", sound("flac"), "b.flac")
    good = request("/verify", files + b"--x--\r\n")
    expected = server.ask(good)[0].partition(b"\r\n\r\n")[2]
    assert b"sentence" in expected, expected
    try:
        for count, (name, data) in enumerate(uploads(seed)):
            if count >= number:
                break
            yield name, *judge(*server.ask(data))
            if count % EVERY == 0:
                found = server.ask(good)[0].partition(b"\r\n\r\n")[2]
                if server.process.poll() is not None:
                    yield name, "dead", f"exit code {server.process.returncode}"
                    return
                if found != expected:
                    yield name, "wrong", f"others get {found[:100]!r}"
        if (peak := server.peak_mb()) > MOST_MB:
            yield "memory", "large", f"{peak:.0f} MB"
    finally:
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
    if code or "Traceback" in server.log.read_text():
        yield "the end", "failed", f"exit code {code}; {server.log.read_text()[-500:]}"
