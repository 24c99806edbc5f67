"""Threshold cards against plain counting."""

import numpy as np
import pytest

from asdkit.inference.card import CANNOT, Group, make_card
from asdkit.models.bundle_description import card_table


def test_rates_are_counts_and_intervals_hold_them(rng):
    spk = rng.integers(0, 30, (4000, 2))
    is_target = spk[:, 0] == spk[:, 1]
    llrs = rng.normal(is_target * 3.0 - 1.5, 1.5)
    everyone = Group(llrs, is_target, spk)
    groups = {
        "all": everyone,
        "low": everyone.of((spk < 10).all(axis=1)),
        "none": everyone.of(np.zeros(4000, dtype=bool)),
    }
    card = make_card(groups, 0.5, "trials")
    all_of_them, few, nobody = card["rows"]
    rejected = [x <= 0.5 for x, t in zip(llrs, is_target, strict=True) if t]
    assert all_of_them["false_rejections"]["rate"] == np.mean(rejected)
    accepted = [x > 0.5 for x, t in zip(llrs, is_target, strict=True) if not t]
    assert all_of_them["false_acceptances"]["rate"] == np.mean(accepted)
    for row in (all_of_them, few):
        for name in ("false_rejections", "false_acceptances"):
            rate = row[name]
            assert rate["low"] <= rate["rate"] <= rate["high"]
    assert few["false_acceptances"]["num_trials"] < 4000
    assert few["num_speakers"] == 10
    assert nobody["false_rejections"] is None


def test_the_first_line_says_what_it_cannot_say_and_recordings_are_counted(rng):
    spk = rng.integers(0, 9, (200, 2))
    trials = rng.normal(0, 1, 200), spk[:, 0] == spk[:, 1], spk
    card = make_card({"1 s": Group(*trials, 40, 7)}, 0.0, "trials", notes=["a note"])
    table = card_table(card)
    assert str(table).startswith(CANNOT)
    (row,) = table.to_json()["rows"]
    assert (row["recordings"], row["refused"]) == (40, 7)
    assert row["target"] + row["nontarget"] == 200
    assert len(row) == len(table.titles)  # every title is another
    assert table.notes[-1] == "a note"


def test_no_error_of_few_speakers_is_no_proof():
    """Three speakers without an error may hide a rate of 63 %: (1 - 0.63)^3 = 0.05."""
    spk = np.array([["a", "a"], ["b", "b"], ["c", "c"]])
    group = Group(np.ones(3), np.ones(3, dtype=bool), spk)
    rate = make_card({"x": group}, 0.0, "x")["rows"][0]["false_rejections"]
    assert (rate["rate"], rate["low"]) == (0, 0)
    assert (1 - rate["high"]) ** 3 == pytest.approx(0.05)


def test_intervals_are_wider_for_fewer_speakers(rng):
    """As many trials of five speakers say less than those of eighty."""
    widths = []
    for num in (5, 80):
        spk = rng.integers(0, num, (3000, 2))
        bias = np.resize([-1.0, 1.0], num)[spk].sum(axis=1)
        llrs = bias + rng.normal(-1, 0.3, 3000)
        group = Group(llrs, spk[:, 0] == spk[:, 1], spk)
        rate = make_card({"all": group}, 0.0, "x")["rows"][0]["false_acceptances"]
        widths.append(rate["high"] - rate["low"])
    assert widths[0] > 2 * widths[1]
