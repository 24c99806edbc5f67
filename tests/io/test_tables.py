import pytest

from asdkit.base.errors import DataError
from asdkit.io.tables import invert, read_table, read_words, write_table


def test_round_trip_is_sorted_in_the_c_locale(tmp_path):
    table = {"b": "2", "B": "1 with blanks", "é": "3", "a-1": "0", "a0": "4"}
    write_table(tmp_path / "t", table)
    assert list(read_table(tmp_path / "t")) == ["B", "a-1", "a0", "b", "é"]
    assert read_table(tmp_path / "t") == table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1\nb\n", r"t:2: expected '<key> <value>', got 'b'"),
        ("a 1\n\n", r"t:2: expected '<key> <value>', got ''"),
        ("a 1\na 1\n", r"t:2: key 'a' appears a second time"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, message):
    (tmp_path / "t").write_text(text)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "t")


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_table(tmp_path / "t")
    (tmp_path / "t").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="expected UTF-8"):
        read_table(tmp_path / "t")


def test_invert_gives_sorted_speakers_of_sorted_utterances():
    assert invert({"u2": "b", "u1": "b", "u3": "a"}) == {"a": ["u3"], "b": ["u1", "u2"]}


def test_a_second_word_is_told_where_one_is_expected(tmp_path):
    path = tmp_path / "utt2attack"
    path.write_text("u1 bonafide\nu2 A01\n")
    assert read_words(path) == {"u1": "bonafide", "u2": "A01"}
    path.write_text("u1 bonafide\nu2 bonafide word\n")
    with pytest.raises(DataError, match="utt2attack:2: expected '<key> <word>'"):
        read_words(path)
