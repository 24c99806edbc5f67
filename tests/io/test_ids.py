"""One thing that all ids differ by is told as one thing."""

import pytest

from asdkit.base.errors import DataError
from asdkit.io.cm_scores import match_cm_scores, read_cm_scores
from asdkit.io.ids import find_difference, find_renaming
from asdkit.io.trials import match_scores, read_scores, read_trials

IDS = [f"LA_E_{n}" for n in range(100)]


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda name: f"{name}.flac", "by a suffix, as 'LA_E_0.flac' and 'LA_E_0'"),
        (lambda name: f"eval/{name}", "by a path, as 'eval/LA_E_0' and 'LA_E_0'"),
        (
            lambda name: f"/a/b/{name}.wav",
            "by a path and a suffix, as '/a/b/LA_E_0.wav' and 'LA_E_0'",
        ),
        (str.lower, "in upper and lower case, as 'la_e_0' and 'LA_E_0'"),
    ],
)
def test_one_rule_for_all_is_found(change, how):
    found = [change(name) for name in IDS]
    assert find_difference(IDS, found) == f"100 ids differ {how}"
    assert find_difference([*IDS, "more"], [*found[:95], "another"])


def test_other_ids_have_no_rule():
    assert find_difference(IDS, IDS) is None
    assert find_difference(IDS, [f"DF_E_{n}" for n in range(100)]) is None
    mixed = [f"{name}.flac" for name in IDS[:50]] + [f"x{n}" for n in range(50)]
    assert find_difference(IDS, mixed) is None


def test_scores_whose_ids_have_a_suffix_get_a_hint(tmp_path):
    """142,474 problems were counted, and none of them was it."""
    path = tmp_path / "scores"
    path.write_text("".join(f"{name}.flac 0.5\n" for name in IDS))
    with pytest.raises(DataError, match="have no score") as caught:
        match_cm_scores(IDS, read_cm_scores(path), "key", path)
    assert caught.value.hint.startswith("100 ids differ by a suffix")

    (tmp_path / "trials").write_text("a x target\na y nontarget\n")
    path.write_text("a wav/x.wav 1\na wav/y.wav 2\n")
    trials, scores = read_trials(tmp_path / "trials"), read_scores(path)
    with pytest.raises(DataError, match="have no trial") as caught:
        match_scores(trials, scores, "trials", path)
    assert caught.value.hint.startswith("2 ids differ by a path and a suffix")


def test_a_rule_for_all_ids_renames_them():
    names = ["id1/a/1.wav", "id1/b/1.wav", "id2/a/1.wav"]
    for change in (
        lambda name: name.removesuffix(".wav"),
        lambda name: name.removesuffix(".wav").replace("/", "-"),
        lambda name: f"/corpora/x/{name}",
        str.upper,
    ):
        found = find_renaming(names, [change(name) for name in names])
        assert found.names == {change(name): name for name in names}
        assert found.text.startswith("3 ids differ")


@pytest.mark.parametrize(
    "found",
    [
        ["a.wav", "b.wav"],  # nothing to rename
        ["a", "b", "c"],  # one of nobody
        ["a", "a.wav"],  # two would be one
    ],
)
def test_ids_that_no_rule_explains_keep_their_names(found):
    assert find_renaming(["a.wav", "b.wav"], found) is None
