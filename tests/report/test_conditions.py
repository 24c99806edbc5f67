"""Error rates by what the key and its data directory say of trials."""

from pathlib import Path

import numpy as np
import pytest

from asdkit.metrics.eer import eer
from asdkit.report.conditions import binned, by_conditions


def test_sex_is_that_of_both_sides_and_durations_are_ranges(found):
    results = {one.title: one for one in by_conditions(found)}
    assert set(results) == {"sex", "duration in s"}
    sex = dict(x.split() for x in Path("data/test/spk2gender").read_text().splitlines())
    sides = zip(found.enroll, found.test, strict=True)
    both = np.array([(sex[a[:3]], sex[b[:3]]) for a, b in sides])
    rows = (both == "f").all(axis=1)
    one = results["sex"]
    assert one.values == ["f", "m"]  # mixed trials have no targets
    target = found.classes[0]
    for system, eers in zip(found.systems, one.eers, strict=True):
        scores = system.scores
        assert eers[0] == eer(scores[rows & target], scores[rows & ~target])
    assert one.counts[0].tolist() == [(rows & target).sum(), (rows & ~target).sum()]
    durations = results["duration in s"]
    assert len(durations.values) == 4
    assert durations.counts.sum() == len(found.test)


def test_attacks_are_told_from_all_bona_fide_speech(found):
    target = found.classes[0]
    attacks = np.where(target, "bonafide", "A01").astype("U8")
    attacks[np.flatnonzero(~target)[::2]] = "A02"
    found.columns = {"attack": attacks}
    one = {x.title: x for x in by_conditions(found)}["attack"]
    assert one.values == ["A01", "A02"]
    assert set(one.counts[:, 0]) == {target.sum()}


def test_columns_that_say_nothing_are_left_out(found):
    num = len(found.test)
    found.columns = {"a": np.full(num, "x"), "b": np.arange(num).astype(str)}
    assert not {"a", "b"} & {x.title for x in by_conditions(found)}


@pytest.mark.parametrize(
    "numbers", [np.ones(9), np.r_[np.zeros(99), 1], np.arange(5.0)]
)
def test_ranges_hold_every_number(numbers):
    assert binned(numbers).shape == numbers.shape
