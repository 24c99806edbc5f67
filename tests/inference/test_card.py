"""Threshold cards against plain counting."""

import numpy as np

from asdkit.inference.card import CANNOT, card_table, make_card


def test_rates_are_counts_and_intervals_hold_them(rng):
    spk = rng.integers(0, 30, (4000, 2))
    is_target = spk[:, 0] == spk[:, 1]
    llrs = rng.normal(is_target * 3.0 - 1.5, 1.5)
    low = {"low": (spk < 10).all(axis=1), "none": np.zeros(4000, dtype=bool)}
    card = make_card(llrs, is_target, spk, low, 0.5, "trials")
    everyone, few, nobody = card["rows"]
    rejected = [x <= 0.5 for x, t in zip(llrs, is_target, strict=True) if t]
    assert everyone["false_rejections"]["rate"] == np.mean(rejected)
    accepted = [x > 0.5 for x, t in zip(llrs, is_target, strict=True) if not t]
    assert everyone["false_acceptances"]["rate"] == np.mean(accepted)
    for row in (everyone, few):
        for name in ("false_rejections", "false_acceptances"):
            rate = row[name]
            assert rate["low"] <= rate["rate"] <= rate["high"]
    assert few["false_acceptances"]["num_trials"] < 4000
    assert nobody["false_rejections"] is None
    assert str(card_table(card)).startswith(CANNOT[:40])


def test_intervals_are_wider_for_fewer_speakers(rng):
    """As many trials of five speakers say less than those of eighty."""
    widths = []
    for num in (5, 80):
        spk = rng.integers(0, num, (3000, 2))
        bias = np.resize([-1.0, 1.0], num)[spk].sum(axis=1)
        llrs = bias + rng.normal(-1, 0.3, 3000)
        rate = make_card(llrs, spk[:, 0] == spk[:, 1], spk, {}, 0.0, "x")["rows"][0]
        rate = rate["false_acceptances"]
        widths.append(rate["high"] - rate["low"])
    assert widths[0] > 2 * widths[1]
