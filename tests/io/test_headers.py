import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.io.headers import Header, read_header, read_headers, tell_channels


def test_many_headers_and_what_is_wrong_with_others(tmp_path):
    sources = {}
    for n, suffix in enumerate(["wav", "flac", "ogg", "aiff"], start=1):
        path = f"{tmp_path}/{n}.{suffix}"
        soundfile.write(path, np.zeros((100 * n, 1 + n % 2)), 8000 * n)
        sources[suffix] = (path, False)
    sources["command"] = (f"cat {tmp_path}/1.wav", True)
    sources["none"] = (f"{tmp_path}/none.wav", False)
    sources["fails"] = ("exit 3", True)
    headers, errors = read_headers(sources)
    assert headers == {
        "wav": (8000, 100, 2, ""),
        "flac": (16000, 200, 1, ""),
        "ogg": (24000, 300, 2, "OGG"),
        "aiff": (32000, 400, 1, ""),
        "command": (8000, 100, 2, ""),
    }
    assert list(errors) == ["none", "fails"]
    assert "no such file" in str(errors["none"])
    assert "fails with 3" in str(errors["fails"])


def test_a_program_that_does_not_know_the_length_may_write_to_a_pipe(tmp_path):
    """sox and ffmpeg leave the sizes of a WAV header at a huge number."""
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(500), 8000)
    data = bytearray(path.read_bytes())
    for size in (0xFFFFFFFF, 0x7FFFF000):
        data[4:8] = data[40:44] = size.to_bytes(4, "little")
        path.write_bytes(data)
        assert read_header(f"cat {path}", is_command=True)[:3] == (8000, 500, 1)


def test_an_interrupt_stops_the_waiting(tmp_path, monkeypatch):
    calls = []

    def interrupt(source, check_end):
        calls.append(source)
        raise KeyboardInterrupt

    monkeypatch.setattr("asdkit.io.headers._try", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_headers({str(n): ("x", False) for n in range(10000)})
    assert len(calls) < 10000


def test_a_missing_file_is_an_error():
    with pytest.raises(DataError, match="no such file"):
        read_header("none.wav")


def test_a_flac_cut_short_is_found_by_its_end(tmp_path, rng):
    path = tmp_path / "a.flac"
    soundfile.write(path, rng.uniform(-0.5, 0.5, 8000), 16000)
    assert read_header(str(path), check_end=True)[:3] == (16000, 8000, 1)
    path.write_bytes(path.read_bytes()[:-1])
    assert read_header(str(path)).num_samples == 8000
    with pytest.raises(DataError, match="damaged or cut short: "):
        read_header(str(path), check_end=True)
    headers, errors = read_headers({"a": (str(path), False)}, check_end=True)
    assert not headers
    assert "damaged" in str(errors["a"])


def test_unused_channels_are_counted(caplog):
    headers = {
        "mono": Header(8000, 9, 1),
        "both": Header(8000, 9, 2),
        "left": Header(8000, 9, 2),
        "also left": Header(8000, 9, 2),
        "array": Header(8000, 9, 8),
    }
    used = [("mono", 0), ("both", 0), ("both", 1), ("left", 0), ("left", 0)]
    tell_channels(headers, [*used, ("also left", 0), ("array", 1), ("array", 3)], "-c")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        "audio: 3 of 5 recordings have unused channels; used: channel 0 of 2 (2), "
        "channel 1, 3 of 8 (1), counted from 0; -c"
    )
    caplog.clear()
    tell_channels(headers, used[:3])
    assert not caplog.records
