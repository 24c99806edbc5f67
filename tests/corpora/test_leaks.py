"""Leak checks: what is called a leak, and what is called luck."""

import numpy as np
import pytest

from asdkit.corpora.leaks import find_leaks

NUM = 300


@pytest.fixture
def honest(rng):
    """Numbers, attacks and speakers that have nothing to do with each other."""
    attacks = np.array(["bonafide", "A01", "A02"])[np.arange(NUM) % 3]
    numbers = {f"n{i}": rng.normal(size=NUM) for i in range(20)}
    numbers["length modulo 256"] = rng.integers(0, 256, NUM)
    return numbers, attacks, np.arange(NUM) // 3 % 25


def test_labels_given_at_random_hold_no_leak(honest):
    findings = find_leaks(*honest)
    assert findings.leaks == []
    assert findings.attacks == ["pooled", "A01", "A02"]
    assert (findings.num_bonafide, findings.num_spoofs) == (100, [200, 100, 100])
    assert findings.eers.min() > 0.3


def test_a_leak_is_named_with_its_attack_and_comes_first(honest):
    numbers, attacks, spks = honest
    numbers["n7"] = numbers["n7"] + 5 * (attacks == "A02")
    findings = find_leaks(numbers, attacks, spks)
    assert findings.numbers[0] == "n7"
    assert (findings.leaks[0].number, findings.leaks[0].attack) == ("n7", "A02")
    assert findings.leaks[0].eer < 0.02
    assert {leak.number for leak in findings.leaks} == {"n7"}


def test_lengths_that_are_multiples_of_a_hop_are_a_leak(honest):
    numbers, attacks, spks = honest
    numbers["length modulo 256"][attacks == "A01"] = 0
    leak = find_leaks(numbers, attacks, spks).leaks[0]
    assert (leak.number, leak.attack) == ("length modulo 256", "A01")


def test_few_files_are_luck_however_low_their_rates(rng):
    """Of 600 rates of ten files each some are below 30 %, and none is a leak."""
    attacks = np.repeat(["bonafide", "A01", "A02"], 10)
    numbers = {f"n{i}": rng.normal(size=30) for i in range(200)}
    findings = find_leaks(numbers, attacks, np.arange(30) % 10)
    assert (findings.eers < 0.3).sum() > 10
    assert findings.leaks == []


def test_what_speakers_differ_in_is_no_leak_of_an_attack_of_others(rng):
    """Ten speakers, thirty files each: five against five is chance."""
    spks = np.arange(300) % 10
    attacks = np.where(spks < 5, "bonafide", "A01")
    numbers = {f"n{i}": rng.normal(size=10)[spks] for i in range(50)}
    findings = find_leaks(numbers, attacks, spks)
    assert (findings.eers < 0.3).any()
    assert findings.leaks == []


def test_what_is_not_known_of_all_files_is_left_out(honest):
    numbers, attacks, spks = honest
    numbers["n0"] = np.where(attacks == "A01", np.nan, 0)
    assert "n0" not in find_leaks(numbers, attacks, spks).numbers


def test_of_one_attack_there_is_no_pooled_rate(honest):
    numbers, attacks, spks = honest
    one = np.where(attacks == "bonafide", attacks, "A01")
    assert find_leaks(numbers, one, spks).attacks == ["A01"]
