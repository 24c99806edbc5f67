import gzip

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io import words as module
from asdkit.io.words import (
    convert_words,
    first_lines,
    first_words,
    read_numbers,
    read_span_numbers,
    read_spans,
    read_words,
)


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "file"
        path.write_bytes(text.encode())
        return path

    return write


@pytest.mark.parametrize("block", [1, 7, 1 << 19])
def test_blocks_make_no_difference(write, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    lines = [[f"a{i}", f"b{i % 7}", f"{i}.5", "d"] for i in range(50)]
    path = write("".join(" ".join(line) + "\n" for line in lines))
    columns, next_line = [[], [], [], []], 1
    for first_line, found in read_words(path, 4, "four words"):
        assert first_line == next_line
        next_line += len(found[0])
        for column, words in zip(columns, found, strict=True):
            column += [word.decode() for word in words]
    assert [list(row) for row in zip(*columns, strict=True)] == lines


def test_tabs_and_ends_of_lines_do_not_matter(write):
    text = "a\tb\r\nc  d"
    ((_, columns),) = read_words(write(text), 2, "two words")
    assert columns == [[b"a", b"c"], [b"b", b"d"]]


def test_skipped_lines_count_in_messages(write):
    path = write("head er line\na b\nc\n")
    with pytest.raises(DataError, match=r"file:3: expected two words, got 'c'"):
        list(read_words(path, 2, "two words", num_skipped=1))


@pytest.mark.parametrize("text", ["a b\nc d e\n", "a b c\nd\n", "a b\n\nc d\n"])
def test_another_number_of_words_is_refused(write, text):
    with pytest.raises(DataError, match=r"file:[12]: expected two words, got '"):
        list(read_words(write(text), 2, "two words"))


def test_first_words(write):
    assert first_words(write("utt\tscore\nx 1\n")) == ["utt", "score"]
    with pytest.raises(DataError, match="got an empty file"):
        first_words(write(""))


def test_what_cannot_be_converted_is_named_with_its_line(write):
    found = convert_words("file", 1, [b"1", b"2"], float, "a number", np.float64)
    assert found.tolist() == [1, 2]
    with pytest.raises(DataError, match=r"file:8: expected a number, got 'x'"):
        convert_words("file", 7, [b"1", b"x"], float, "a number", np.float64)


def test_nan_is_named_with_its_line():
    with pytest.raises(DataError, match=r"file:6: the score of 'b d' is NaN"):
        read_numbers("file", 5, [b"1", b"nan"], [[b"a", b"b"], [b"c", b"d"]])


def test_what_gzip_has_packed_is_read_alike(tmp_path):
    lines = b"\xef\xbb\xbf" + b"a,b\n" * 1000
    (tmp_path / "plain").write_bytes(lines)
    (tmp_path / "packed").write_bytes(gzip.compress(lines))
    plain, packed = (
        [block for _, block in read_words(tmp_path / name, 2, "", separator=",")]
        for name in ("plain", "packed")
    )
    assert plain == packed
    assert packed[0][0][0] == b"a"
    assert first_lines(tmp_path / "packed", 2) == ["a,b\n", "a,b\n"]


def test_spans_are_where_the_words_are(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a bb 1\nccc\td  -2.5\r\n  e f 3")
    (block,) = read_spans(path, 3, "three words")
    found = [
        [block.text[i:j] for i, j in zip(*spans, strict=True)]
        for spans in zip(block.starts, block.ends, strict=True)
    ]
    assert found == [[b"a", b"ccc", b"e"], [b"bb", b"d", b"f"], [b"1", b"-2.5", b"3"]]
    assert [block.column(i) for i in range(3)] == found
    assert block.first_words() == [b"a", b"bb", b"1"]
    numbers = read_span_numbers(path, block, 2, (0, 1))
    np.testing.assert_array_equal(numbers, [1, -2.5, 3])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a b 1\na b\n", "x:2: expected three words, got 'a b'"),
        (b"a b 1\na b c 1 d e\n", "x:2: expected three words"),
        (b"a b 1\nc\nd 2\n", "x:2: expected three words"),
        (b"a b 1\na\x01 b 1\n", "control characters"),
    ],
)
def test_lines_with_other_words_are_named(tmp_path, text, problem):
    (tmp_path / "x").write_bytes(text)
    with pytest.raises(DataError, match=problem):
        list(read_spans(tmp_path / "x", 3, "three words"))


@pytest.mark.parametrize("word", [b"1_0", b"x", b"nan", b"1" * 17 + b"x"])
def test_a_span_that_is_no_number_is_named(tmp_path, word):
    (tmp_path / "x").write_bytes(b"a b 1\na c " + word + b"\n")
    (block,) = read_spans(tmp_path / "x", 3, "three words")
    with pytest.raises(DataError, match="x:2: "):
        read_span_numbers(tmp_path / "x", block, 2, (0, 1))
