import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.asv_scores import read_asv_scores

TEXT = "bonafide target 3\nA07 spoof 1\nbonafide nontarget -2\nA08 spoof 0.5\n"


def test_scores_are_split_by_key_and_by_rows(tmp_path):
    (tmp_path / "scores").write_text(TEXT)
    scores = read_asv_scores(tmp_path / "scores")
    target, nontarget, spoof = scores.classes()
    assert (target.tolist(), nontarget.tolist()) == ([3], [-2])
    assert spoof.tolist() == [1, 0.5]
    rows = np.isin(scores.columns["attack"], ["bonafide", "A08"])
    assert [c.tolist() for c in scores.classes(rows)] == [[3], [-2], [0.5]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "got an empty file"),
        (TEXT + "A07 target 1\n", ":5: expected three words, .* got 'A07 target'"),
        (TEXT + "bonafide spoof 1\n", ":5: expected three words, "),
        (TEXT + "A07 fake 1\n", ":5: expected three words, "),
        (TEXT + "A07 spoof x\n", ":5: expected a number, got 'x'"),
        (TEXT + "A07 spoof\n", ":5: expected three words, "),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, problem):
    (tmp_path / "scores").write_text(text)
    with pytest.raises(DataError, match=problem):
        read_asv_scores(tmp_path / "scores")
