"""Between clients and a server's answers: a token, sizes, patience.

An application of ASGI (asgi.readthedocs.io) around another, on Python alone.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from asdkit.inference.uploads import Limits, Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Of every answer: it is no one else's, and what it says of its kind is true.
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def as_line(error: Refusal) -> bytes:
    """Write an error as one line of JSON."""
    found = {"error": str(error)} | ({"hint": error.hint} if error.hint else {})
    return json.dumps(found, ensure_ascii=False).encode() + b"\n"


class Guard:
    """Refuse who has no token, what is too large, and who is too slow.

    Args:
        app: the application behind it.
        token: the secret that clients show, as ``Authorization: Bearer TOKEN``.
        limits: of a request.
        open_paths: paths that need no token.

    Attributes:
        num_answered: how many requests the application has had.
    """

    def __init__(
        self, app: App, token: str, limits: Limits, open_paths: Collection[str]
    ) -> None:
        self.app = app
        self.secret = token.encode()
        self.limits = limits
        self.open_paths = open_paths
        self.num_answered = 0
        self._num_running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do so."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        if (refusal := self._refusal(scope)) is not None:
            await _discard(receive, self.limits)
            await _send_error(refusal, send_safely)
            return
        self._num_running += 1
        self.num_answered += 1
        try:
            bounded = _bound(receive, self.limits)
            await self.app(scope, bounded, send_safely)
        finally:
            self._num_running -= 1

    def _refusal(self, scope: Scope) -> Refusal | None:
        """Judge a request by its head."""
        headers = dict(scope["headers"])
        is_open = scope["path"] in self.open_paths
        if not is_open and not self._knows(headers.get(b"authorization", b"")):
            hint = "Authorization: Bearer TOKEN; the server prints it when it starts"
            return Refusal(401, "expected the server's token", hint)
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 18:
            return Refusal(400, "expected a whole number as Content-Length")
        if int(length) > self.limits.max_bytes:
            return _too_large(self.limits)
        if self._num_running >= self.limits.max_requests:
            return Refusal(503, "too many requests at a time", "come back in a second")
        return None

    def _knows(self, authorization: bytes) -> bool:
        """Compare a header with the token, in the same time whatever it holds."""
        scheme, _, given = authorization.partition(b" ")
        is_bearer = scheme.lower() == b"bearer"
        return hmac.compare_digest(given.strip(), self.secret) and is_bearer


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"expected a request of {limits.max_mb:g} MB or less")


def _bound(receive: Receive, limits: Limits) -> Receive:
    """Let a body be neither longer nor slower than it may be."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.patience_sec
    num_bytes, is_complete = 0, False

    async def bounded() -> Message:
        nonlocal num_bytes, is_complete
        if is_complete:  # what comes is that the client has gone: no hurry
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), max(0.0, end - loop.time()))
        except asyncio.TimeoutError:  # noqa: UP041 (Python 3.10)
            late = f"expected a request within {limits.patience_sec:g} s"
            raise Refusal(408, late) from None
        num_bytes += len(message.get("body", b""))
        is_complete = not message.get("more_body", False)
        if num_bytes > limits.max_bytes:
            await _discard(receive, limits)
            raise _too_large(limits)
        return message

    return bounded


async def _discard(receive: Receive, limits: Limits) -> None:
    """Read on for a moment, for a client that sends does not see the answer."""
    loop = asyncio.get_running_loop()
    end = loop.time() + min(2.0, limits.patience_sec)
    left = 2 * limits.max_bytes
    while left > 0 and (rest := end - loop.time()) > 0:
        try:
            message = await asyncio.wait_for(receive(), rest)
        except asyncio.TimeoutError:  # noqa: UP041 (Python 3.10)
            return
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _send_error(error: Refusal, send: Send) -> None:
    """Send an error as one line of JSON, and close the connection."""
    body = as_line(error)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.status == 503:
        headers.append((b"retry-after", b"1"))
    start = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
