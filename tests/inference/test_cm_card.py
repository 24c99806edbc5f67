"""Cards of countermeasures against plain counting."""

import numpy as np
import pytest

from asdkit.backends.calibration import Calibration
from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.cm_card import (
    CANNOT,
    SAME,
    _row,
    cm_card_of,
    read_labelled,
)
from asdkit.metrics.cllr import cllr
from asdkit.metrics.eer import eer
from asdkit.models.bundle_description import cm_card_table


@pytest.fixture
def sources(tmp_path, monkeypatch, rng):
    """Scores of 40 recordings to calibrate on, and of 60 others."""
    monkeypatch.chdir(tmp_path)
    for part, num, attacks in (("dev", 40, ["A01"]), ("eval", 60, ["A07", "A08"])):
        key, scores = [], []
        for n in range(num):
            attack = "bonafide" if n % 2 else attacks[n // 2 % len(attacks)]
            key.append(f"{part}{n} {attack}\n")
            scores.append(f"{part}{n} {rng.normal(3.0 * (n % 2)):.4f}\n")
        (tmp_path / f"{part}.key").write_text("".join(key))
        (tmp_path / f"{part}.scores").write_text("".join(scores))
    return Sources(cm_key="dev.key", cm_scores="dev.scores")


def calibrate():
    _, scores, attacks = read_labelled("dev.key", "dev.scores")
    return Calibration(ridge=1e-4).fit(scores[:, None], attacks == "bonafide")


OTHER = {"cm_card_key": "eval.key", "cm_card_scores": "eval.scores"}


def test_rates_are_counts_attack_by_attack(sources):
    card = cm_card_of(sources._replace(**OTHER), calibrate(), 0.3)
    _, scores, attacks = read_labelled("eval.key", "eval.scores")
    llrs = calibrate().score(scores[:, None])
    rows = {row["group"]: row for row in card["rows"]}
    bonafide = attacks == "bonafide"
    assert rows["bona fide, rejected"]["rate"] == np.mean(llrs[bonafide] <= 0.3)
    assert rows["spoofed, accepted"]["rate"] == np.mean(llrs[~bonafide] > 0.3)
    assert rows["A07, accepted"]["num_recordings"] == 15
    assert rows["A08, accepted"]["rate"] == np.mean(llrs[attacks == "A08"] > 0.3)
    assert card["eer"] == eer(llrs[bonafide], llrs[~bonafide])
    assert card["cllr"] == cllr(llrs[bonafide], llrs[~bonafide])
    table = cm_card_table(card)
    assert str(table).startswith(CANNOT)
    assert "Calibrated on 20 bona fide and 20 spoofed recordings (A01)" in str(table)
    assert SAME not in table.notes


def test_without_other_recordings_it_says_that_it_is_too_good(sources):
    assert SAME in cm_card_of(sources, calibrate(), 0.0)["notes"]
    assert cm_card_of(Sources(), None, 0.0) is None


def test_recordings_that_calibrated_are_refused_by_name(sources):
    same = {"cm_card_key": "dev.key", "cm_card_scores": "dev.scores"}
    with pytest.raises(DataError, match=r"40 of its recordings calibrated .* 'dev0'"):
        cm_card_of(sources._replace(**same), calibrate(), 0.0)


def test_files_that_belong_together_are_asked_for(sources, tmp_path):
    with pytest.raises(AsdkitError, match="--cm-card-scores belong together"):
        cm_card_of(sources._replace(cm_card_key="eval.key"), calibrate(), 0.0)
    with pytest.raises(AsdkitError, match="needs --cm-key and --cm-scores"):
        cm_card_of(sources._replace(**OTHER), None, 0.0)
    (tmp_path / "few.key").write_text("dev1 bonafide\n")
    with pytest.raises(DataError, match=r"39 of its utterances are not in few\.key"):
        read_labelled("few.key", "dev.scores")
    (tmp_path / "one.scores").write_text("dev1 0.5\n")
    with pytest.raises(DataError, match="expected bona fide and spoofed recordings"):
        read_labelled("few.key", "one.scores")


@pytest.mark.parametrize(("num_wrong", "num"), [(0, 20), (3, 20), (20, 20)])
def test_an_interval_ends_where_its_rate_would_be_rejected(num_wrong, num):
    """Wilson's: p such that |found - p| is 1.96 standard deviations of p."""
    row = _row("x", np.arange(num) < num_wrong)
    for p in (row["low"], row["high"]):
        if 0 < p < 1:
            deviation = np.sqrt(p * (1 - p) / num)
            assert abs(row["rate"] - p) == pytest.approx(1.96 * deviation)
    assert row["low"] <= row["rate"] <= row["high"]
