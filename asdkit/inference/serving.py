"""A bundle as a web server: FastAPI and uvicorn, which ``asdkit[serve]`` brings."""

# No `from __future__ import annotations`: FastAPI evaluates the annotations of what
# answers, and its names are imported inside functions, for most users do without.

import contextlib
import logging
import re
import secrets
import socket
import stat
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.packages import require
from asdkit.base.provenance import version
from asdkit.inference.forms import Form, Kind, form_schema, read_form
from asdkit.inference.guard import App, Guard, as_line
from asdkit.inference.service import Service
from asdkit.inference.uploads import Refusal
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

# The extra alone; asdkit[serve] would add torch to an environment of the runtime.
SERVE = "pip install fastapi uvicorn python-multipart, or pip install 'asdkit[serve]'"
PAGES = {"/": "compare.html", "/docs": "api.html"}
OPEN = (*PAGES, "/openapi.json", "/favicon.ico")
SHORTEST_TOKEN = 16  # letters
HEAD_SEC = 10.0  # for the head of a request
HEAD_BYTES = 16384
BACKLOG = 1024  # connections that wait for an answer
GRACE_SEC = 10.0  # for answers that are due when the server is ended


def read_token(path: PathName) -> str:
    """Read the token that clients must show.

    Raises:
        DataError: the file is missing or holds no token of `SHORTEST_TOKEN` letters.
    """
    hint = f"python -c 'import secrets; print(secrets.token_urlsafe())' > {path}"
    try:
        text = Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise DataError(path, f"expected a token: {error}", hint=hint) from None
    if not re.fullmatch(rf"[!-~]{{{SHORTEST_TOKEN},}}", text):
        problem = (
            f"expected a token of {SHORTEST_TOKEN} letters or more, without blanks"
        )
        raise DataError(path, problem, hint=hint)
    if Path(path).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        logger.warning("%s: others can read it; chmod 600 keeps them out", path)
    return text


def make_token() -> str:
    """Draw a token of 256 bits."""
    return secrets.token_urlsafe(32)


def make_app(service: Service, token: str) -> Guard:
    """Make the application that answers for a bundle.

    Args:
        service: its answers.
        token: the secret that clients must show.

    Raises:
        AsdkitError: FastAPI is not installed.
    """
    require("fastapi", SERVE)
    require("python_multipart", SERVE)
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse, Response
    from starlette.concurrency import run_in_threadpool

    app = FastAPI(
        title="asdkit",
        version=version(),
        description="Speaker verification and detection of spoofed speech.",
        docs_url=None,  # its scripts come from elsewhere
        redoc_url=None,
    )
    _report_errors(app)

    def post(path: str, form: Form, answer: Callable[..., Any], summary: str) -> None:
        async def endpoint(request: Request) -> JSONResponse:
            fields = await read_form(request, form, service.limits)
            return JSONResponse(await run_in_threadpool(answer, **fields))

        app.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            name=path.strip("/"),
            summary=summary,
            openapi_extra={"requestBody": form_schema(form)},
        )

    text = "Decide whether a recording is of the speaker of others"
    form = Form({"enroll": "files", "test": "file", "channel": "channel"})
    post("/verify", form, service.verify, text)
    text = "Decide whether a recording is bona fide speech"
    form = Form({"audio": "file", "channel": "channel"})
    post("/detect", form, service.detect, text)
    text = "Rank the enrolled speakers, or answer that the speaker is unknown"
    post("/identify", form, service.identify, text)
    text = "Enroll recordings of a person, all or none"
    kinds: dict[str, Kind] = {"name": "text", "audio": "files", "channel": "channel"}
    post("/enroll", Form(kinds, {"audio": "audios"}), service.enroll, text)

    @app.get("/model", summary="Describe the bundle and the limits")
    def model() -> dict[str, Any]:
        return service.about()

    @app.get("/profiles", summary="List the enrolled recordings")
    def profiles() -> dict[str, Any]:
        return service.list_profiles()

    @app.delete("/profiles/{name:path}", summary="Forget a person")
    def remove(name: str) -> dict[str, Any]:
        return service.remove(name)

    for path, file in PAGES.items():
        page, headers = _page(file)
        answer = Response(page, headers=headers, media_type="text/html; charset=utf-8")
        app.add_api_route(path, lambda answer=answer: answer, include_in_schema=False)

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)

    return Guard(app, token, service.limits, OPEN)


def _page(file: str) -> tuple[bytes, dict[str, str]]:
    """Read a page, and allow it its own script and style and nothing else."""
    content = Path(__file__).with_name(file).read_bytes()

    def source(tag: bytes) -> str:
        found = re.findall(rb"<%s>(.*?)</%s>" % (tag, tag), content, re.DOTALL)
        hashes = (b64encode(sha256(x).digest()).decode() for x in found)
        return " ".join(f"'sha256-{x}'" for x in hashes)

    # A script may be a blob, too: that which listens to the microphone is made so.
    policy = (
        f"default-src 'none'; script-src {source(b'script')} blob:; "
        f"style-src {source(b'style')}; connect-src 'self'; img-src data:; "
        "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, {"content-security-policy": policy}


def _report_errors(app: Any) -> None:
    """Let every error be one line of JSON."""
    from fastapi import Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import Response
    from starlette.exceptions import HTTPException

    def answer(refusal: Refusal, headers: Any = None) -> Response:
        return Response(as_line(refusal), refusal.status, headers, "application/json")

    async def refused(request: Request, error: Refusal) -> Response:
        # What is left of the body is not read: the connection cannot go on.
        unread = {"connection": "close"} if error.status in (408, 413) else None
        return answer(error, unread)

    async def http(request: Request, error: HTTPException) -> Response:
        return answer(Refusal(error.status_code, str(error.detail)), error.headers)

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(Refusal(422, "; ".join(x["msg"] for x in error.errors())))

    async def failed(request: Request, error: Exception) -> Response:
        if isinstance(error, AsdkitError):
            logger.warning("%s: %s", request.url.path, error)
        else:
            logger.error("%s fails", request.url.path, exc_info=error)
        return answer(Refusal(500, "the server fails; its log says how"))

    for kind, handler in (
        (Refusal, refused),
        (AsdkitError, failed),
        (HTTPException, http),
        (RequestValidationError, invalid),
        (Exception, failed),
    ):
        app.add_exception_handler(kind, handler)


def bind(host: str, port: int) -> socket.socket:
    """Take a port of this machine; 0 is any that is free.

    Raises:
        AsdkitError: it is taken, or the host is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # who comes before the first answer waits
    except (OSError, OverflowError) as error:
        listener.close()
        hint = "--port 0 takes one that is free"
        raise AsdkitError(f"{host}:{port}: {error}", hint=hint) from None
    return listener


def serve(app: App, listener: socket.socket) -> None:
    """Answer until Ctrl-C or SIGTERM; what is being answered is answered.

    Raises:
        AsdkitError: uvicorn is not installed.
    """
    uvicorn = require("uvicorn", SERVE)
    config = uvicorn.Config(
        app,
        http=_patient_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=int(GRACE_SEC),
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
    # What a client does is told to the client; what fails here is in our own log.
    for name in ("uvicorn", "python_multipart"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # It ends in order, and then raises what has ended it again.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _patient_protocol() -> Any:
    """HTTP that answers nonsense in JSON, and has patience with heads, but not long."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class PatientProtocol(H11Protocol):
        """Close a connection that does not send the head of a request in time."""

        alarm: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._calm()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            body = as_line(Refusal(400, "expected a request of HTTP/1.1"))
            length = (b"content-length", str(len(body)).encode())
            headers = [(b"content-type", b"application/json"), length]
            for event in (
                h11.Response(
                    status_code=400, headers=[*headers, (b"connection", b"close")]
                ),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event))
            self.transport.close()

        def _watch(self) -> None:
            """Set the alarm while a head is awaited."""
            if self.conn.their_state is not h11.IDLE:
                self._calm()
            elif self.alarm is None:
                self.alarm = self.loop.call_later(HEAD_SEC, self.transport.close)

        def _calm(self) -> None:
            if self.alarm is not None:
                self.alarm.cancel()
                self.alarm = None

    return PatientProtocol
