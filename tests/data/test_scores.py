import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.data.scores import match_examined
from asdkit.io.trials import read_scores, read_trials


@pytest.fixture
def files(tmp_path):
    """Twenty trials, half of them target, and their scores in another order."""

    def write(values):
        pairs = [f"e{i} t{i}" for i in range(20)]
        kinds = ["target", "nontarget"] * 10
        trials, scores = tmp_path / "trials", tmp_path / "scores"
        lines = [f"{p} {k}\n" for p, k in zip(pairs, kinds, strict=True)]
        trials.write_text("".join(lines))
        lines = [f"{p} {v}\n" for p, v in zip(pairs, values, strict=True)]
        scores.write_text("".join(reversed(lines)))
        return trials, scores

    return write


def test_scores_come_in_the_order_of_the_trials(files, rng, caplog):
    values = np.round(rng.standard_normal(20) + np.tile([4, 0], 10), 3)
    trials, scores = files(values)
    found = match_examined(read_trials(trials), read_scores(scores), trials, scores)
    np.testing.assert_array_equal(found, values)
    assert not caplog.records


def test_what_speaks_against_them_is_noted_for_their_file(files):
    trials, scores = files(np.tile([0.0, 1.0], 10))
    noted = []
    match_examined(
        read_trials(trials),
        read_scores(scores),
        trials,
        scores,
        lambda path, finding: noted.append((path, finding)),
    )
    assert noted
    assert {path for path, _ in noted} == {scores}


def test_a_missing_score_is_named(files, rng):
    trials, scores = files(rng.standard_normal(20))
    scores.write_text("".join(scores.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(DataError, match="e19"):
        match_examined(read_trials(trials), read_scores(scores), trials, scores)
