"""What of a data directory counts as its audio, and what does not."""

import gzip
import json
import os

import pytest

from asdkit.base.errors import DataError
from asdkit.base.inputs import watching
from asdkit.io.origins import (
    RECORDINGS,
    SUPERVISIONS,
    Origin,
    check_origin,
    describe,
    note_origin,
    read_origin,
)


def zip_lines(path, items):
    with gzip.open(path, "wt") as stream:
        stream.writelines(json.dumps(item) + "\n" for item in items)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write manifests of two utterances, the first with some changes."""
    monkeypatch.chdir(tmp_path)
    for name in ('a"b\\é.wav', "b.wav"):
        (tmp_path / name).write_text(name)

    def write(source=(), turned=False, more=(), **changes):
        recordings, supervisions = [], []
        for utt, path in ("a", 'a"b\\é.wav'), ("b", "b.wav"):
            item = {"type": "file", "channels": [0], "source": path, **dict(source)}
            recordings.append({"id": utt, "sources": [item], **dict(more)})
            place = {"recording_id": utt, "start": 0.0, "duration": 1.0, "channel": 0}
            supervisions.append({"id": utt, **place, "speaker": "s", **changes})
        if turned:
            recordings, supervisions = (
                [dict(reversed(x.items())) for x in items]
                for items in (recordings, supervisions)
            )
            for item in recordings:
                item["sources"] = [dict(reversed(x.items())) for x in item["sources"]]
        zip_lines(RECORDINGS, recordings)
        zip_lines(SUPERVISIONS, supervisions)
        return describe(".")

    return write


def test_speakers_and_texts_do_not_count_places_and_rates_do(write):
    before = write()
    assert write(speaker="t", text='x", "channel": 7') == before
    assert write(custom={"attack": "A01"}) == before
    for change in ({"start": 0.5}, {"duration": 0.9}, {"channel": 1}):
        after = write(**change)
        assert after["manifests"] != before["manifests"]
        assert after["sizes"] == before["sizes"]
    assert write(more={"sampling_rate": 8000})["manifests"] != before["manifests"]


def test_every_size_counts_and_no_time_does(write, tmp_path):
    before = write()
    (tmp_path / "b.wav").write_text("B.WAV")  # as long
    assert describe(".") == before
    (tmp_path / "b.wav").write_text("b")
    assert describe(".")["manifests"] == before["manifests"]
    assert describe(".")["sizes"] != before["sizes"]
    (tmp_path / "b.wav").unlink()
    assert describe(".") == {"manifests": before["manifests"]}


def test_manifests_that_others_wrote_are_read_too(write, tmp_path):
    assert write(turned=True)["sizes"] == write()["sizes"]
    assert write(turned=True, speaker="t") != write(turned=True)
    assert write(source={"type": "command"}) != write()
    zip_lines(RECORDINGS, [{"sources": 5}])  # whoever reads it says so
    assert describe(".").keys() == {"manifests"}
    (tmp_path / RECORDINGS).write_bytes(b"damaged")
    assert not describe(".")


def test_a_program_looks_once_at_what_it_reads(write, tmp_path):
    with watching():
        before = write()
        (tmp_path / "b.wav").write_text("b")
        assert describe(".") == before
    assert describe(".") != before


def test_a_note_holds_for_the_table_that_it_was_made_of(write, tmp_path):
    write()
    table = tmp_path / "feats.scp"
    table.write_text("a x:2\n")
    assert check_origin(table) is None
    origin = Origin(str(tmp_path), describe(tmp_path), {})
    note_origin(table, origin)
    assert check_origin(table) == origin
    write(start=0.5)
    with pytest.raises(DataError, match="of other audio") as caught:
        check_origin(table)
    assert "asdkit feats-compute" in caught.value.hint
    table.write_text("a y:2\n")
    assert check_origin(table) is None
    note_origin(table, None)
    assert read_origin(table) is None
    assert json.loads((tmp_path / "origins.json").read_text()) == {"tables": {}}


def test_a_damaged_note_is_written_anew_with_a_warning(write, tmp_path, caplog):
    """feats-compute found it at its end, and had computed in vain."""
    write()
    table = tmp_path / "feats.scp"
    table.write_text("a x:2\n")
    (tmp_path / "origins.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(DataError, match="not a note of origins"):
        read_origin(table)
    origin = Origin(str(tmp_path), describe(tmp_path), {})
    note_origin(table, origin)
    assert "not a note of origins" in caplog.text
    assert "it is rewritten" in caplog.text
    assert read_origin(table) == origin


def test_of_manifests_in_another_encoding_nothing_is_noted(write, tmp_path):
    """They ended in UnicodeDecodeError; who reads them for what they say names them."""
    assert "sizes" in write()
    with gzip.open(tmp_path / RECORDINGS) as stream:
        text = stream.read().replace(b"b.wav", b"\xe9.wav")
    (tmp_path / RECORDINGS).write_bytes(gzip.compress(text))
    assert "sizes" not in describe(tmp_path)


@pytest.mark.parametrize(
    ("name", "aspect"), [(RECORDINGS, "sizes"), ("utt2spk", "utt2spk")]
)
def test_a_named_pipe_is_not_waited_for(write, tmp_path, name, aspect):
    write()
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    assert describe(tmp_path, [aspect]) == {}
