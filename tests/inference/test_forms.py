"""Forms: the fields that are asked for, and no others."""

import asyncio

import pytest

from asdkit.inference.forms import Form, form_schema, read_form
from asdkit.inference.uploads import Limits, Refusal

pytest.importorskip("starlette", reason="needs asdkit[serve]")
pytest.importorskip("python_multipart", reason="needs asdkit[serve]")

FORM = Form(
    {"name": "text", "audio": "files", "channel": "channel"}, {"audio": "audios"}
)
LIMITS = Limits(max_files=3)
FILE = 'name="audio"; filename="a.wav"'
NAME = ('name="name"', b"ann")


def body(*parts):
    blocks = []
    for head, content in parts:
        head = f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n"
        blocks += [head.encode(), content, b"\r\n"]
    return b"".join([*blocks, b"--x--\r\n"])


def read(data, kind="multipart/form-data; boundary=x", form=FORM):
    from starlette.requests import Request

    pieces = [data[n : n + 7] for n in range(0, len(data), 7)] or [b""]

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    scope = {"type": "http", "headers": [(b"content-type", kind.encode())]}
    return asyncio.run(read_form(Request(scope, receive), form, LIMITS))


def refused(status, data, **options):
    with pytest.raises(Refusal) as caught:
        read(data, **options)
    assert caught.value.status == status, caught.value
    return str(caught.value)


def test_fields_become_arguments():
    files = [(FILE, b"\0\r\n--y\xff"), (FILE.replace("a.wav", "b.wav"), b"2")]
    channel = ('name="channel"', b"1")
    assert read(body(NAME, *files, channel)) == {
        "name": "ann",
        "audios": [("a.wav", b"\0\r\n--y\xff"), ("b.wav", b"2")],
        "channel": 1,
    }
    assert read(body(NAME, files[0]))["channel"] is None


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("expected a field audio", [NAME]),
        ("expected a field name", [(FILE, b"1")]),
        ("name: expected one, got 2", [NAME, NAME, (FILE, b"1")]),
        ("audio: expected a sound file", [NAME, ('name="audio"', b"1")]),
        ("name: expected text", [('name="name"; filename="x"', b"1"), (FILE, b"1")]),
        ("got 'other'", [NAME, (FILE, b"1"), ('name="other"', b"1")]),
        ("got '__class__'", [('name="__class__"', b"1"), (FILE, b"1")]),
        *(
            ("expected a number", [NAME, (FILE, b"1"), ('name="channel"', x)])
            for x in (b"-1", b"x", b"", b"9" * 500, "\u0665".encode(), b"1024")
        ),
    ],
)
def test_another_form_is_refused(said, parts):
    assert said in refused(422, body(*parts))


def test_too_much_is_refused():
    refused(413, body(NAME, *[(FILE, b"1")] * 4))
    refused(413, body(*[NAME] * 4))
    refused(413, body(('name="name"', b"x" * 2000), (FILE, b"1")))


@pytest.mark.parametrize(
    "data",
    [b"", b"--x", b"nonsense", body(NAME)[:-4], b"--x\r\n\r\n", b"--x\r\nA" * 50],
)
def test_what_is_cut_short_is_no_form(data):
    with pytest.raises(Refusal) as caught:
        read(data)
    assert caught.value.status in (400, 422)


def test_who_leaves_is_no_fault_of_ours():
    from starlette.requests import Request

    async def receive():
        return {"type": "http.disconnect"}

    kind = b"multipart/form-data; boundary=x"
    scope = {"type": "http", "headers": [(b"content-type", kind)]}
    with pytest.raises(Refusal, match="the rest of a form"):
        asyncio.run(read_form(Request(scope, receive), FORM, LIMITS))


def test_only_forms_with_files_are_read():
    for kind in ("application/json", "text/plain", "", "audio/wav"):
        assert "multipart/form-data" in refused(415, b"{}", kind=kind)
    refused(400, body(NAME), kind="multipart/form-data")


def test_openapi_names_the_fields():
    schema = form_schema(FORM)["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["name", "audio"]
    assert schema["properties"]["audio"]["items"]["format"] == "binary"
