"""Which attacks are made on which utterances, and with whose words."""

from types import SimpleNamespace

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.corpora.spoof_plan import parse_attacks, plan_spoofs
from asdkit.data.cuts import read_cuts
from asdkit.simulation.attacks import ATTACKS, Attack


def cuts_of(data):
    return list(read_cuts(data, features=False))


def test_all_attacks_or_one_on_every_utterance(speech, toys):
    attacks = {"A01": "noise", "A02": "lpc", "A03": "griffin_lim"}
    cuts = cuts_of(speech)
    spoofs = plan_spoofs(cuts, attacks)
    assert len({spoof.utt for spoof in spoofs}) == 30
    assert spoofs == sorted(spoofs)
    spoofs = plan_spoofs(cuts, attacks, "one")
    assert {spoof.victim for spoof in spoofs} == {cut.id for cut in cuts}
    counts = [sum(spoof.attack == label for spoof in spoofs) for label in attacks]
    assert sorted(counts) == [3, 3, 4]
    assert plan_spoofs(cuts, attacks, "one") == spoofs
    assert plan_spoofs(cuts, attacks, "one", seed=1) != spoofs


@pytest.mark.parametrize(("word", "number"), [("two", 2), ("three", 3)])
def test_some_attacks_on_every_utterance_all_equally_often(speech, toys, word, number):
    attacks = {"A01": "noise", "A02": "lpc", "A03": "griffin_lim", "A04": "griffin_lim"}
    spoofs = plan_spoofs(cuts_of(speech), attacks, word)
    assert len({spoof.utt for spoof in spoofs}) == len(spoofs) == 10 * number
    for cut in cuts_of(speech):
        assert sum(spoof.victim == cut.id for spoof in spoofs) == number
    counts = [sum(spoof.attack == label for spoof in spoofs) for label in attacks]
    assert max(counts) - min(counts) <= number
    few = plan_spoofs(cuts_of(speech), {"A01": "noise"}, word)
    assert len(few) == 10


def test_what_is_not_installed_is_an_error_or_left_out(toys, monkeypatch, caplog):
    def check():
        raise AsdkitError("nonesuch is not installed")

    monkeypatch.setitem(ATTACKS, "absent", Attack(None, check=check))
    with pytest.raises(AsdkitError, match="nonesuch is not installed"):
        parse_attacks("noise,absent", "A01,A02")
    assert parse_attacks("noise,absent", "A01,A02", True) == {"A01": "noise"}
    assert "absent is left out: nonesuch is not installed" in caplog.text
    with pytest.raises(AsdkitError, match="none of absent can be made here"):
        parse_attacks("absent", skip_missing=True)


def test_somebody_else_says_it_of_the_same_gender_if_there_is_one(speech, toys, change):
    change(speech, gender=lambda item: "m" if item.speaker == "s2" else "f")
    for seed in range(5):
        for spoof in plan_spoofs(cuts_of(speech), {"C": "convert"}, seed=seed):
            pair = spoof.victim[:2], spoof.other[:2]
            assert pair in {("s0", "s1"), ("s1", "s0"), ("s2", "s0"), ("s2", "s1")}


def test_lists_of_attacks_are_checked(monkeypatch):
    assert parse_attacks("lpc,replay") == {"lpc": "lpc", "replay": "replay"}
    assert parse_attacks("lpc,replay", "A01,A02") == {"A01": "lpc", "A02": "replay"}
    with pytest.raises(AsdkitError, match=r"expected some of griffin_lim.*got 'foo'"):
        parse_attacks("lpc,foo")
    for ids in "A01", "A01,A01", "A01,A 2", "A01,a/b", "A01,", "A01,bonafide":
        with pytest.raises(AsdkitError, match="expected 2 different words"):
            parse_attacks("lpc,replay", ids)

    def fail():
        raise AsdkitError("not installed")

    broken = SimpleNamespace(check=fail)
    monkeypatch.setitem(ATTACKS, "world", broken)
    with pytest.raises(AsdkitError, match="not installed"):
        parse_attacks("world")
