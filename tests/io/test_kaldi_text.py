"""Kaldi's text format."""

import io

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.kaldi_text import TextReader, write_text_array


def text(words):
    return TextReader("file", words.encode())


def test_tokens_and_numbers_are_read_in_order():
    reader = text("<Dim> 7\n0.5 2.5e-1\n")
    assert reader.peek() == "<Dim>"
    reader.expect("<Dim>")
    assert reader.count() == 7
    assert (reader.real(), reader.real()) == (0.5, 0.25)
    reader.end()


def test_text_arrays_come_back(rng):
    for array in (rng.normal(size=4), rng.normal(size=(2, 3)), np.zeros((0, 0))):
        stream = io.BytesIO()
        write_text_array(stream, array)
        reader = text(stream.getvalue().decode())
        assert reader.is_matrix() == (array.ndim == 2 and array.size > 0)
        found = reader.matrix() if array.ndim == 2 else reader.vector()
        reader.end()
        np.testing.assert_allclose(found, array, rtol=1e-6)


@pytest.mark.parametrize(("words", "is_matrix"), [("[ 1 2 ]", 0), ("[\n 1 2 ]", 1)])
def test_lines_before_an_array_are_none_of_its_own(words, is_matrix):
    reader = text(f"<Offset> 7\n\n {words}\n")
    assert (reader.token("a token"), reader.count()) == ("<Offset>", 7)
    assert reader.is_matrix() == is_matrix


def test_matrices_of_one_shape_are_one_array(rng):
    arrays = rng.normal(size=(3, 2, 4))
    lines = io.BytesIO()
    for array in arrays:
        write_text_array(lines, array)
    found = text(lines.getvalue().decode()).matrices(3)
    np.testing.assert_allclose(found, arrays, rtol=1e-6)


@pytest.mark.parametrize(
    ("reader", "read", "message"),
    [
        (text("<A>"), lambda x: x.expect("<B>"), "file:1: expected '<B>', got '<A>'"),
        (text("\n\n-1"), lambda x: x.count(), "file:3: expected a count, got '-1'"),
        (text("[ 1 2"), lambda x: x.vector(), r"expected a '\]' before the end"),
        (text("[ 1 2\n 3 ]"), lambda x: x.matrix(), "expected rows of one length"),
        (text("[ 1 x ]"), lambda x: x.vector(), "expected numbers"),
        (text("[ 1 ] [ 1 2 ]"), lambda x: x.packed(2), r"expected \(1,\) numbers"),
        (text(""), lambda x: x.token("a word"), "a word, got the end of the file"),
        (text("x"), lambda x: x.end(), "expected the end of the file, got 'x'"),
    ],
)
def test_place_expected_and_got_are_said(reader, read, message):
    with pytest.raises(DataError, match=message) as caught:
        read(reader)
    assert "damaged, cut short" in caught.value.hint


def test_what_is_no_kaldi_object_is_no_text():
    with pytest.raises(DataError, match="expected a Kaldi object, got"):
        TextReader("file", b"\xff\xfe")
