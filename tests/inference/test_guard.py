"""The guard of a server: token, sizes, patience, without a server."""

import asyncio
import json

import pytest

from asdkit.inference.guard import Guard, as_line
from asdkit.inference.uploads import Limits, Refusal

TOKEN = "a-token-of-many-letters"
LIMITS = Limits(max_mb=0.001, patience_sec=0.2, max_requests=2)


async def read_all(scope, receive, send):
    """An application that reads its body and counts it."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    start = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)
    await send({"type": "http.response.body", "body": b"%d" % size})


def call(blocks=(b"",), path="/x", headers=(), app=read_all, delay=0.0, guard=None):
    """Ask a guard; returns status, headers and body, or the refusal raised."""
    guard = guard or Guard(app, TOKEN, LIMITS, ["/open"])
    left, sent = list(blocks), []

    async def receive():
        if not left:
            await asyncio.sleep(3600)
        await asyncio.sleep(delay)
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": list(headers)}
    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def bearer(token=TOKEN):
    return (b"authorization", b"Bearer " + token.encode())


@pytest.mark.parametrize(
    "header",
    [
        (),
        (bearer("another"),),
        (bearer(TOKEN[:-1]),),
        (bearer(""),),
        ((b"authorization", TOKEN.encode()),),
        ((b"authorization", b"Basic " + TOKEN.encode()),),
        ((b"authorization", b"Bearer \xff\xfe"),),
        ((b"cookie", TOKEN.encode()),),
    ],
)
def test_who_has_no_token_learns_nothing(header):
    status, headers, body = call(headers=header)
    assert status == 401
    assert headers[b"www-authenticate"] == b"Bearer"
    assert "token" in json.loads(body)["error"]
    assert body.count(b"\n") == 1


def test_pages_are_open_and_what_begins_alike_is_not():
    assert call(path="/open")[0] == 200
    for path in ("/open/", "/open/../x", "//open"):
        assert call(path=path)[0] == 401


def test_a_body_within_the_limits_arrives_whole():
    status, headers, body = call([b"x" * 400, b"y" * 600], headers=[bearer()])
    assert (status, body) == (200, b"1000")
    assert headers[b"cache-control"] == b"no-store"


def test_a_long_body_is_refused_by_its_head_or_when_it_is_long():
    length = (b"content-length", b"1001")
    assert call(headers=[bearer(), length])[0] == 413
    with pytest.raises(Refusal, match=r"0\.001 MB or less") as caught:
        call([b"x" * 600, b"x" * 600, b"x"], headers=[bearer()])
    assert caught.value.status == 413
    for odd in (b"-1", b"1e3", b"9" * 30, b"0x10"):
        assert call(headers=[bearer(), (b"content-length", odd)])[0] == 400


def test_a_slow_body_is_refused():
    with pytest.raises(Refusal, match=r"within 0\.2 s") as caught:
        call([b"x"] * 100, headers=[bearer()], delay=0.03)
    assert caught.value.status == 408


def test_the_application_may_wait_for_the_client_to_go():
    async def watch(scope, receive, send):
        await read_all(scope, receive, send)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(receive(), 0.4)

    assert call(headers=[bearer()], app=watch)[0] == 200


def test_too_many_at_a_time_are_told_to_come_back():
    async def ask():
        running, gate, found = [], asyncio.Event(), []

        async def app(scope, receive, send):
            running.append(1)
            await gate.wait()

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            found.append(message)

        guard = Guard(app, TOKEN, LIMITS, ["/open"])
        scope = {"type": "http", "path": "/open", "headers": []}
        tasks = [asyncio.create_task(guard(scope, receive, send)) for _ in range(2)]
        while len(running) < 2:
            await asyncio.sleep(0.01)
        await guard(scope, receive, send)
        gate.set()
        await asyncio.gather(*tasks)
        await guard(scope, receive, send)
        return found, guard.num_answered

    found, count = asyncio.run(ask())
    assert found[0]["status"] == 503
    assert (b"retry-after", b"1") in found[0]["headers"]
    assert count == 3


def test_an_error_is_one_line_whatever_it_holds():
    line = as_line(Refusal(422, "a\nb\u2028", "try again"))
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"error": "a\nb\u2028", "hint": "try again"}
