"""Tables of countermeasures, on scores whose error rates can be counted."""

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.metrics.eer import eer
from asdkit.report.cm_tables import (
    CmTrials,
    DevEval,
    table_alone,
    table_in_tandem,
    table_of_eers,
    table_of_seeds,
)
from asdkit.report.result_tables import seeds_of

ATTACKS = ["bonafide", "A07", "A08", "bonafide"]
CODECS = ["none", "alaw"]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows))


@pytest.fixture
def corpus(tmp_path, rng):
    """Two parts of 80 utterances; two systems, one with two seeds; an ASV system."""
    attacks = [ATTACKS[i % 4] for i in range(80)]
    keys = ["spoof" if a[0] == "A" else "target" for a in attacks]
    keys[::8] = ["nontarget"] * len(keys[::8])
    for part in ("dev", "eval"):
        data = tmp_path / "data" / part
        write(data / "utt2attack", (f"u{i:02} {a}" for i, a in enumerate(attacks)))
        codecs = (f"u{i:02} {CODECS[i // 40]}" for i in range(80))
        write(data / "utt2codec", codecs)
    trials = [f"s{i % 5} u{i:02}" for i in range(80)]
    asv = [3 * (k != "nontarget") + rng.normal() for k in keys]
    write(data / "asv_trials", map(" ".join, zip(trials, keys, strict=True)))
    pairs = [f"{t} {x:.4f}" for t, x in zip(trials, asv, strict=True)]
    write(data / "asv_scores", pairs)
    write(tmp_path / "exp/asv/scores_eval", pairs)
    for seed in ("lcnn/seed0", "lcnn/seed1", "gmm/seed0"):
        for part in ("dev", "eval"):
            values = [2 * (a == "bonafide") + rng.normal() for a in attacks]
            rows = [f"u{i:02} {x:.5f}" for i, x in enumerate(values)]
            write(tmp_path / "exp" / seed / f"scores_{part}", rows)
    for seed in (0, 1):
        fused = tmp_path / f"exp/lcnn/seed{seed}/tandem_linear/eval_scores"
        write(fused, pairs)
    return tmp_path


def cells_of(table):
    return [[x.strip() for x in row.split("|")[1:-1]] for row in table.splitlines()]


def test_an_eer_is_that_of_the_chosen_attack_and_codec(corpus):
    trials = CmTrials(corpus / "data/eval", "asvspoof2021")
    path = corpus / "exp/gmm/seed0/scores_eval"
    x = np.loadtxt(path, usecols=1)
    i = np.arange(80)
    bonafide = np.isin(i % 4, [0, 3])
    assert trials.attacks == ["A07", "A08"]
    assert trials.eer(path) == 100 * eer(x[bonafide], x[~bonafide])
    assert trials.eer(path, "A07") == 100 * eer(x[bonafide], x[i % 4 == 1])
    expected = 100 * eer(x[bonafide & (i >= 40)], x[(i % 4 == 2) & (i >= 40)])
    assert trials.eer(path, "A08", "alaw") == expected
    assert np.isnan(trials.eer(path, "A09"))


def test_what_is_odd_about_scores_is_said_once_for_all_attacks(corpus, caplog):
    data, scores = corpus / "data/eval", corpus / "exp/chance"
    write(scores, (f"u{i:02} {(7 * i) % 40}.5" for i in range(80)))
    trials = CmTrials(data, "asvspoof2021")
    for attack in (None, *trials.attacks):
        assert trials.eer(scores, attack) == 50
    assert caplog.text.count("hardly better than chance") == 1


def test_a_table_has_a_row_per_system_and_the_tdcf_if_there_are_asv_scores(corpus):
    systems = seeds_of(corpus / "exp")
    head, _, gmm, lcnn = cells_of(table_alone(corpus / "data", systems, "asvspoof2019"))
    assert head[2:] == ["dev EER %", "EER %", "A07", "A08", "min t-DCF(2019)"]
    assert gmm[:2] == ["gmm", "1"]
    assert lcnn[:2] == ["lcnn", "2"]
    trials = CmTrials(corpus / "data/eval", "asvspoof2019")
    assert gmm[3] == f"{trials.eer(corpus / 'exp/gmm/seed0/scores_eval'):.2f}"
    (corpus / "data/eval/asv_scores").unlink()
    head = cells_of(table_alone(corpus / "data", systems, "asvspoof2019"))[0]
    assert head[-1] == "A08"


def test_what_was_refit_on_dev_has_no_rate_there_if_that_may_be(corpus):
    data, path = corpus / "data", corpus / "exp/gmm/seed0"
    (path / "scores_dev").unlink()
    options = {"by_attack": False, "tdcf": False}
    rates = DevEval(data, "asvspoof2019", **options, dev_optional=True).rates(path)
    assert np.isnan(rates[0])
    expected = CmTrials(data / "eval", "asvspoof2019").eer(path / "scores_eval")
    assert rates[1:] == [expected]
    with pytest.raises(DataError, match="scores_dev"):
        DevEval(data, "asvspoof2019", **options).rates(path)


def test_a_tandem_of_the_asv_system_itself_is_as_good_as_that(corpus):
    systems, asv = seeds_of(corpus / "exp"), corpus / "exp/asv"
    table = table_in_tandem(corpus / "data", asv, systems, "asvspoof2019")
    head, _, alone, fused = cells_of(table)
    assert alone[0] == "ASV alone"
    assert fused[:2] == ["lcnn, linear", "2"]
    assert fused[2:5] == [f"{x} ± 0.00" for x in alone[2:5]]
    assert head[-2:] == ["min t-DCF(2019)", "t-EER %"]
    assert alone[-2:] == ["", ""]


def test_columns_are_what_they_are_titled(corpus):
    systems = seeds_of(corpus / "exp")
    trials = CmTrials(corpus / "data/eval", "asvspoof2021")
    table = table_of_eers(
        CODECS, systems, lambda path, x: trials.eer(path / "scores_eval", codec=x)
    )
    head, _, gmm, _ = cells_of(table)
    assert head == ["system", "seeds", *CODECS]
    path = corpus / "exp/gmm/seed0/scores_eval"
    assert gmm[2:] == [f"{trials.eer(path, codec=x):.2f}" for x in CODECS]


def test_systems_without_seeds_have_no_row_and_dcfs_three_digits():
    rows = {"a": [[1.0, 0.5], [2.0, 0.25]], "b": []}
    table = table_of_seeds(["EER %", "minDCF", "size"], rows, {"a": ["7"]})
    assert cells_of(table)[2:] == [["a", "2", "1.50 ± 0.71", "0.375 ± 0.177", "7"]]
