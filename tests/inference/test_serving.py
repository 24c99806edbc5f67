"""A bundle as a web server, asked over real HTTP by many clients at a time."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle import Bundle
from asdkit.inference.serving import bind, make_app, make_token, read_token, serve

pytest.importorskip("fastapi", reason="needs asdkit[serve]")
pytest.importorskip("uvicorn", reason="needs asdkit[serve]")
pytestmark = pytest.mark.slow  # a bundle is made first

TOKEN = "a-token-of-many-letters"


def test_32_clients_have_the_answers_of_the_library(server, small_bundle):
    bundle = Bundle.open(small_bundle / "model")
    names = [small_bundle / f"{n}.wav" for n in range(8)]
    pairs = [(n, (n * 3 + 1) % 8) for n in range(8)]
    verdicts = [bundle.verify(names[a], names[b]).as_dict() for a, b in pairs]
    spoofs = [bundle.detect_voice(name).as_dict() for name in names]
    barrier = threading.Barrier(32)

    def client(number):
        barrier.wait()
        found = []
        for turn in range(2):
            n = (number + turn) % 8
            a, b = pairs[n]
            files = [("enroll", "a.wav", server.sound(a))]
            files.append(("test", "b.wav", server.sound(b)))
            found.append((server.ask("POST", "/verify", files), verdicts[n]))
            files = [("audio", "c.wav", server.sound(n))]
            found.append((server.ask("POST", "/detect", files), spoofs[n]))
        return found

    with ThreadPoolExecutor(32) as pool:
        found = [x for answers in pool.map(client, range(32)) for x in answers]
    assert len(found) == 128
    for (status, answer), expected in found:
        assert status == 200
        assert answer["decision"] == expected["decision"]
        assert answer["speech_sec"] == expected["speech_sec"]
        assert answer["score"] == pytest.approx(expected["score"], abs=2e-3)
        assert ("spoof" in answer) == ("spoof" in expected)
    scores = {round(x["score"], 2) for x in verdicts}
    assert len(scores) > 4  # a wrong one would be seen
    assert sum(x.num_batches for x in server.service.graphs) < 250


def test_people_are_enrolled_identified_and_forgotten(server):
    files = [("audio", "1.wav", server.sound(0)), ("audio", "2.wav", server.sound(2))]
    name = ("name", "", "Zoë / Ann".encode())
    status, found = server.ask("POST", "/enroll", [name, *files])
    assert (status, found["name"], found["enrollments"]) == (200, "Zoë / Ann", 2)
    status, found = server.ask("POST", "/identify", files[:1])
    assert (status, found["ranking"][0]["name"]) == (200, "Zoë / Ann")
    assert len(server.ask("GET", "/profiles")[1]["profiles"]) == 2
    path = "/profiles/Zo%C3%AB%20/%20Ann"
    assert server.ask("DELETE", path) == (200, {"name": "Zoë / Ann", "removed": 2})
    assert server.ask("DELETE", path)[0] == 404


def test_pages_are_open_and_ask_no_one_else_for_anything(server):
    for path in ("/", "/docs"):
        status, page = server.ask("GET", path, token=None)
        assert status == 200
        assert page.startswith("<!doctype html>")
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    status, about = server.ask("GET", "/openapi.json", token=None)
    assert {"/verify", "/detect", "/enroll", "/identify"} <= about["paths"].keys()
    assert server.ask("GET", "/favicon.ico", token=None)[0] == 204
    assert server.ask("GET", "/model", token=None)[0] == 401
    assert server.ask("GET", "/model", token=TOKEN + "x")[0] == 401
    assert server.ask("GET", "/model")[1]["detects_spoofing"] is True


HOSTILE = {
    "empty": (422, [("audio", "a.wav", b"")]),
    "no sound": (422, [("audio", "a.wav", b"<html>" * 99)]),
    "a path as name": (422, [("audio", "../../a.wav", b"RIFF")]),
    "another field": (422, [("sound", "a.wav", b"RIFF")]),
    "text for a file": (422, [("audio", "", b"RIFF")]),
    "too many files": (413, [("audio", "a.wav", b"RIFF")] * 9),
    "too large": (413, [("audio", "a.wav", bytes(1_100_000))]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_upload_gets_one_line(server, name):
    wanted, parts = HOSTILE[name]
    status, found = server.ask("POST", "/detect", parts)
    assert status == wanted, found
    assert found.keys() <= {"error", "hint"}
    assert "\n" not in found["error"]


def test_a_sound_cut_short_or_of_an_absurd_rate_is_refused(server):
    whole = server.sound(1)
    for content in (
        whole[: len(whole) // 2],
        whole[:24] + (10**9).to_bytes(4, "little") + whole[28:],
        whole[:40] + b"\xff\xff\xff\x7e" + whole[44:],
    ):
        files = [("audio", "a.wav", content)]
        status, found = server.ask("POST", "/detect", files)
        assert status in (413, 422), found


def test_other_requests_get_one_line_too(server):
    assert server.ask("GET", "/none") == (404, {"error": "Not Found"})
    assert server.ask("PUT", "/detect")[0] == 405
    assert server.ask("POST", "/detect", body=b"{}")[0] == 415
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"\0" * 100):
        assert server.ask("POST", "/detect", body=body, headers=kind)[0] in (400, 422)


def raw(server, data, wait=8.0):
    """Send bytes as they are; return what comes until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as client:
        client.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while block := client.recv(4096):
                found += block
    return found


def test_what_is_no_http_is_answered_in_json(server):
    found = raw(server, b"NONSENSE\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 400 ")
    assert json.loads(found.partition(b"\r\n\r\n")[2])["error"]
    long = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000
    assert raw(server, long).startswith(b"HTTP/1.1 400 ")


def test_who_sends_slowly_is_not_waited_for(server):
    head = f"POST /detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99\r\n"
    start = time.monotonic()
    found = raw(server, head.encode() + b"\r\n--x\r\n")
    assert found.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - start < 5


def test_who_does_not_begin_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr("asdkit.inference.serving.HEAD_SEC", 0.3)
    for data in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nX: y"):
        assert raw(server, data) == b""


def test_who_leaves_in_the_middle_leaves_no_traceback(server, caplog):
    head = f"POST /detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head.encode() + b"\r\n--x")
    assert server.ask("GET", "/model")[0] == 200
    time.sleep(0.2)
    assert "Traceback" not in caplog.text
    assert "fails" not in caplog.text


def test_a_fault_of_ours_is_not_told_but_logged(server, monkeypatch, caplog):
    def fail(*_):
        raise KeyError("/secret/place")

    monkeypatch.setattr(server.service.bundle, "detect_voice", fail)
    status, found = server.ask("POST", "/detect", [("audio", "a.wav", server.sound(1))])
    assert (status, found) == (500, {"error": "the server fails; its log says how"})
    assert "/secret/place" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(small_bundle, tmp_path, number):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    words = ["serve", "--model", small_bundle / "model", "--port", "0"]
    argv = [sys.executable, "-m", "asdkit", *words, "--token", tmp_path / "token"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    for line in child.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/$", line):
            break
    assert found
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=30)
    connection.request("GET", "/model", headers={"Authorization": f"Bearer {TOKEN}"})
    assert connection.getresponse().status == 200
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 0, err
    assert out == "asdkit serve: 1 requests answered\n"
    assert err == ""
    assert TOKEN not in out + err


@pytest.mark.parametrize("name", ["fastapi", "python_multipart", "uvicorn"])
def test_the_extra_is_named_where_it_is_missing(server, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(AsdkitError, match=f"{name} is not installed") as caught:
        serve(make_app(server.service, TOKEN), bind("127.0.0.1", 0))
    assert "asdkit[serve]" in caught.value.hint


def test_a_token_is_long_and_in_a_file_of_its_own(tmp_path, caplog):
    path = tmp_path / "token"
    for text in ("short", "two words of many letters", "t\u00f6ken" * 9, ""):
        path.write_text(text)
        with pytest.raises(DataError, match="expected a token"):
            read_token(path)
    with pytest.raises(DataError, match="expected a token"):
        read_token(tmp_path / "none")
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o644)
    assert read_token(path) == TOKEN
    assert "others can read it" in caplog.text
    assert len({make_token() for _ in range(9)}) == 9
    assert len(make_token()) > 40


def test_a_port_that_is_taken_is_named(server):
    with pytest.raises(AsdkitError, match=f":{server.port}: .*in use"):
        bind("127.0.0.1", server.port)
    with pytest.raises(AsdkitError):
        bind("127.0.0.1", 99999)
