"""Numbers of ids, against a dictionary that is asked for every word."""

import numpy as np
import pytest

from asdkit.io.id_numbers import BITS, LONGEST, IdNumbers, load_words, padded


def spans_of(words):
    lengths = np.array([len(word) for word in words])
    ends = np.cumsum(lengths + 1) - 1
    return b" ".join(words) + b"\n", ends - lengths, ends


def number(numbers, words):
    text, starts, ends = spans_of(words)
    return numbers.number(text, padded(text), starts, ends)


def drawn(rng, num_ids, num_words, longest=30):
    alphabet = np.frombuffer(b"abcdefghij-/_.0123456789", np.uint8)
    lengths = rng.integers(1, longest + 1, num_ids)
    ids = [bytes(rng.choice(alphabet, n)) for n in lengths]
    return [ids[i] for i in rng.integers(num_ids, size=num_words)]


@pytest.mark.parametrize("bits", [2, 4, BITS[0]])
@pytest.mark.parametrize("longest", [3, 8, 17, LONGEST, 2 * LONGEST])
def test_ids_are_numbered_as_they_come_whatever_is_in_the_tables(rng, bits, longest):
    numbers, known = IdNumbers(bits), {}
    for _ in range(8):  # blocks
        words = drawn(rng, 200, 500, longest)
        expected = [known.setdefault(word, len(known)) for word in words]
        np.testing.assert_array_equal(number(numbers, words), expected)
    assert list(numbers.known) == list(known)


def test_ids_below_one_another_are_numbered_once(rng):
    words = [word for word in drawn(rng, 50, 40) for _ in range(100)]
    known = {}
    expected = [known.setdefault(word, len(known)) for word in words]
    numbers = IdNumbers()
    np.testing.assert_array_equal(number(numbers, words), expected)
    np.testing.assert_array_equal(number(numbers, words[::-1]), expected[::-1])


def test_words_that_differ_in_length_or_last_letter_only_are_others():
    words = [b"a" * n for n in range(1, LONGEST + 1)]
    words += [word[:-1] + b"b" for word in words]
    numbers = IdNumbers()
    for _ in range(3):
        np.testing.assert_array_equal(number(numbers, words), np.arange(len(words)))


def test_tables_grow_with_the_ids(rng):
    numbers, known = IdNumbers(bits=4), {}
    for n in range(6):
        words = [b"id-%d" % i for i in range(50 * n, 50 * n + 100)]
        expected = [known.setdefault(word, len(known)) for word in words]
        np.testing.assert_array_equal(number(numbers, words), expected)
    assert numbers.bits > 4


def test_lists_of_words_and_texts_share_numbers():
    numbers = IdNumbers()
    assert numbers.number_words([b"x", b"y"]).tolist() == [0, 1]
    assert number(numbers, [b"z", b"y", b"x"]).tolist() == [2, 1, 0]
    assert number(numbers, [b"u"])[0] == 3
    assert len(numbers.number(b"", padded(b""), *np.zeros((2, 0), int))) == 0


def test_eight_letters_are_an_integer_and_what_is_behind_is_zero():
    text, starts, ends = spans_of([b"12345678", b"abc", b"123456789"])
    first, second = load_words(padded(text), starts, ends)
    expected = [b"12345678", b"abc\0\0\0\0\0", b"12345678"]
    assert [int(x).to_bytes(8, "little") for x in first] == expected
    assert second.tolist() == [0, 0, ord("9")]
