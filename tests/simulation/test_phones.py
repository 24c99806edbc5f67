"""The inventory of phones, and sentences made of them."""

import numpy as np
import pytest

from asdkit.simulation.phones import PHONES, ROWS, TARGETS, Target, draw_sentence


def test_every_phone_has_its_rows():
    for phone, rows in ROWS.items():
        np.testing.assert_array_equal(
            TARGETS[list(rows)], np.reshape(PHONES[phone], (-1, len(Target._fields)))
        )
    assert sum(map(len, ROWS.values())) == len(TARGETS)


def test_formants_are_in_order():
    f1, f2, f3 = TARGETS[:, 1:4].T
    assert np.all(f1 < f2)
    assert np.all(f2 < f3)


@pytest.mark.parametrize("sec", [0.05, 3.5, 20.0])
def test_a_sentence_is_long_enough_and_begins_with_a_pause(rng, sec):
    sentence = draw_sentence(sec, 1.0, rng)
    assert len(sentence.targets) == len(sentence.ends) == len(sentence.accents)
    assert sentence.ends[-1] >= sec
    assert np.all(np.diff(sentence.ends) > 0)
    assert sentence.targets[0] in ROWS["pause"]


def test_a_faster_speaker_says_more(rng):
    slow = draw_sentence(60, 0.8, rng)
    fast = draw_sentence(60, 1.2, rng)
    ratio = len(fast.targets) / len(slow.targets)
    assert ratio == pytest.approx(1.5, abs=0.15)


def test_syllables_come_at_the_pace_of_speech(rng):
    sentence = draw_sentence(120, 1.0, rng)
    vowels = [row for phone in ("i", "I", "E", "ae", "V", "a", "O", "U", "u", "3")
              for row in ROWS[phone]]  # fmt: skip
    vowels += [ROWS["ai"][0], ROWS["au"][0]]
    rate = np.isin(sentence.targets, vowels).sum() / sentence.ends[-1]
    assert 3 < rate < 6  # per second, pauses included


def test_a_long_sentence_has_all_phones(rng):
    sentence = draw_sentence(300, 1.0, rng)
    assert set(sentence.targets) == set(range(len(TARGETS)))


def test_pitch_falls_within_a_phrase(rng):
    sentence = draw_sentence(120, 1.0, rng)
    pauses = np.flatnonzero(np.isin(sentence.targets, ROWS["pause"]))
    first = sentence.accents[pauses[:-1] + 1]
    last = sentence.accents[pauses[1:] - 1]
    assert first.mean() - last.mean() == pytest.approx(2, abs=0.5)
