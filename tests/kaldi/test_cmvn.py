"""cmvn.scp is applied as apply-cmvn does, or comes along."""

import kaldiio
import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.data.subset import write_subset
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table


def run(*words):
    return main([str(word) for word in words])


def statistics(matrices):
    """Kaldi's cmvn statistics: sums and count, sums of squares and nothing."""
    x = np.concatenate(matrices).astype(float)
    return np.array([[*x.sum(0), len(x)], [*(x**2).sum(0), 0]])


@pytest.fixture(params=["speaker", "utterance"])
def with_cmvn(request, lab):
    """A directory with statistics, and the features that apply-cmvn makes of them."""
    feats = dict(read_arrays(f"scp:{lab}/feats.scp"))
    owner = {utt: utt if request.param == "utterance" else utt[:2] for utt in feats}
    stats = {
        name: statistics([x for utt, x in feats.items() if owner[utt] == name])
        for name in owner.values()
    }
    kaldiio.save_ark("cmvn.ark", stats, scp=str(lab / "cmvn.scp"))
    return lab, feats, {utt: stats[owner[utt]] for utt in feats}


@pytest.mark.parametrize("how", ["mean", "mean-variance"])
def test_stored_statistics_are_applied(with_cmvn, tmp_path, how):
    lab, feats, stats = with_cmvn
    assert run("kaldi-import", "--cmvn", how, lab, tmp_path / "out") == 0
    ours = dict(read_arrays(f"scp:{tmp_path}/out/feats.scp"))
    for utt, x in feats.items():
        total, count = stats[utt], stats[utt][0, -1]
        y = x - total[0, :-1] / count
        if how == "mean-variance":
            variance = total[1, :-1] / count - (total[0, :-1] / count) ** 2
            y = y / np.sqrt(variance)
        np.testing.assert_allclose(ours[utt], y, atol=1e-5)
    assert not (tmp_path / "out/cmvn.scp").exists()


def test_statistics_that_are_not_applied_are_told_and_come_along(
    with_cmvn, tmp_path, capsys
):
    lab, feats, _ = with_cmvn
    assert run("kaldi-import", lab, tmp_path / "out") == 0
    assert (
        "cmvn.scp comes along and is not applied, as in Kaldi's"
        in capsys.readouterr().err
    )
    ours = dict(read_arrays(f"scp:{tmp_path}/out/feats.scp"))
    np.testing.assert_array_equal(ours["s0-u0"], feats["s0-u0"])
    keys = read_table(tmp_path / "out/cmvn.scp").keys()
    assert keys == read_table(lab / "cmvn.scp").keys()
    write_subset(tmp_path / "out", tmp_path / "some", ["s0-u0", "s1-u0"])
    left = [key for key in keys if key in ("s0", "s1", "s0-u0", "s1-u0")]
    assert [*read_table(tmp_path / "some/cmvn.scp")] == left


def test_missing_statistics_are_named(with_cmvn, tmp_path, capsys):
    lab, *_ = with_cmvn
    lines = (lab / "cmvn.scp").read_text().splitlines()
    (lab / "cmvn.scp").write_text("\n".join(lines[1:]) + "\n")
    assert run("kaldi-import", "--cmvn", "mean", lab, tmp_path / "out") == 1
    assert "cmvn.scp: no statistics of " in capsys.readouterr().err
