"""Text that is none, or begins with a byte-order mark, is told by name."""

import bz2
import lzma

import pytest

from asdkit.base.errors import DataError
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.tables import read_table
from asdkit.io.trials import read_scores, read_trials

TEXT = "".join(f"utt{n} utt{n + 1} target\n" for n in range(200))
OTHERS = {
    "bzip2 data": (bz2.compress, "bunzip2"),
    "xz data": (lzma.compress, "unxz"),
    "UTF-16 text": (lambda data: data.decode().encode("utf-16"), "iconv -f utf-16"),
}


@pytest.mark.parametrize("read", [read_table, read_trials, read_scores, read_cm_scores])
@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_text_is_told_by_name(tmp_path, read, what):
    """Trials and scores printed what they read to the terminal."""
    convert, cure = OTHERS[what]
    path = tmp_path / "file"
    path.write_bytes(convert(TEXT.encode()))
    with pytest.raises(DataError, match=f"expected UTF-8 text, got {what}") as caught:
        read(path)
    assert cure in caught.value.hint
    assert str(caught.value).isascii()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told_too(tmp_path, encoding):
    (tmp_path / "file").write_text(TEXT, encoding=encoding)
    for read in (read_table, read_trials):
        with pytest.raises(DataError, match=r"got UTF-16 text|got binary data"):
            read(tmp_path / "file")


def test_a_bad_line_is_not_shown_whole(tmp_path):
    (tmp_path / "file").write_text("a b target\n" + "word " * 10_000)
    with pytest.raises(DataError, match="expected three words") as caught:
        read_trials(tmp_path / "file")
    assert len(str(caught.value)) < 500


def test_a_byte_order_mark_is_no_part_of_an_id(tmp_path):
    """Windows programs write one; the first id was unlike that of other files."""
    path = tmp_path / "file"
    path.write_text("a b target\n", encoding="utf-8-sig")
    assert read_table(path) == {"a": "b target"}
    assert read_trials(path).enroll_ids == ["a"]
    path.write_text("a 0.5\nb 1.5\n", encoding="utf-8-sig")
    assert read_cm_scores(path).utt == ["a", "b"]
    path.write_text("filename\tcm-score\na\t0.5\n", encoding="utf-8-sig")
    assert read_cm_scores(path).utt == ["a"]


@pytest.mark.parametrize("read", [read_table, read_trials, read_scores, read_cm_scores])
def test_a_last_line_without_an_end_is_told(tmp_path, read, caplog):
    """A score of 1.25 that lost its end became 1.2, without a word."""
    value = "target" if read is read_trials else "1.25"
    words = 2 if read in (read_table, read_cm_scores) else 3
    line = " ".join(["utt1", "utt2", value][-words:])
    (tmp_path / "whole").write_text(f"{line}\n")
    (tmp_path / "cut").write_text(line)
    read(tmp_path / "whole")
    assert not caplog.records
    read(tmp_path / "cut")
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert f"{tmp_path}/cut: its last line does not end" in record.getMessage()


def test_a_nul_in_a_table_is_named_with_its_line(tmp_path):
    (tmp_path / "file").write_bytes(TEXT.encode() + b"utt\x00 spk\n")
    with pytest.raises(DataError, match=r"file:201: expected text, got a NUL"):
        read_table(tmp_path / "file")
