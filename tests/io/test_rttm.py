import pytest

from asdkit.base.errors import DataError
from asdkit.io.rttm import Turn, read_rttm, write_rttm


def test_what_is_written_is_read(tmp_path):
    turns = [
        Turn("b", 0.5, 0.25, "speech"),
        Turn("a", 2.0, 1.0, "spoof", 2),
        Turn("a", 0.0, 2.0, "bonafide"),
    ]
    write_rttm(tmp_path / "rttm", turns)
    assert read_rttm(tmp_path / "rttm") == {"a": [turns[2], turns[1]], "b": [turns[0]]}


def test_the_line_is_nists(tmp_path):
    write_rttm(tmp_path / "rttm", [Turn("reco", 1.5, 0.25, "spk7")])
    line = "SPEAKER reco 1 1.500 0.250 <NA> <NA> spk7 <NA> <NA>\n"
    assert (tmp_path / "rttm").read_text() == line


def test_comments_and_other_types_are_skipped(tmp_path):
    (tmp_path / "rttm").write_text(
        ";; made by hand\nSPKR-INFO a 1 <NA> <NA> <NA> unknown x <NA>\n\n"
        "SPEAKER a 1 0 1 <NA> <NA> x <NA>\n"
    )
    assert read_rttm(tmp_path / "rttm") == {"a": [Turn("a", 0.0, 1.0, "x")]}


@pytest.mark.parametrize(
    "line",
    [
        "SPEAKER a 1 0",
        "SPEAKER a 1 x 1 <NA> <NA> x <NA>",
        "SPEAKER a 1 1_0 1 <NA> <NA> x <NA>",
        "SPEAKER a 1 inf 1 <NA> <NA> x <NA>",
    ],
)
def test_a_line_that_is_none_is_named(tmp_path, line):
    (tmp_path / "rttm").write_text(f"SPEAKER a 1 0 1 <NA> <NA> x <NA> <NA>\n{line}\n")
    with pytest.raises(DataError, match="rttm:2: expected 'SPEAKER <reco>"):
        read_rttm(tmp_path / "rttm")
