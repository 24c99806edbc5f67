import pytest

from asdkit.base.errors import DataError
from asdkit.corpora.partialspoof import mark_spoofed
from asdkit.data.manifests import Utterance


def utterance(utt, attack):
    custom = {"attack": attack}
    return Utterance(utt, "s", "x.wav", False, 0.0, 3.0, 0, 16000, custom=custom)


def write_rttm(path, *turns):
    text = "SPEAKER {} 1 {} {} <NA> <NA> {} <NA> <NA>\n"
    path.write_text("".join(text.format(*turn) for turn in turns))
    return path


@pytest.fixture
def marked(tmp_path):
    """Mark a spoofed and a bona fide utterance by some turns."""

    def mark(*turns):
        path = write_rttm(tmp_path / "x.rttm", *turns)
        return mark_spoofed(path, [utterance("u1", "A01"), utterance("u2", "bonafide")])

    return mark


def test_turns_become_parts_and_bona_fide_turns_do_not(marked):
    spoofed, bonafide = marked(
        ("u1", 0.0, 0.5, "bonafide"), ("u1", 0.5, 1.0, "spoof"), ("u1", 2.0, 0.5, "A01")
    )
    assert spoofed.custom == {"attack": "A01", "spoofed": [[0.5, 1.5], [2.0, 2.5]]}
    assert bonafide.custom == {"attack": "bonafide"}


def test_turns_that_touch_are_one_part_and_end_with_the_utterance(marked):
    spoofed, _ = marked(("u1", 1.0, 1.0, "spoof"), ("u1", 2.0005, 5.0, "spoof"))
    assert spoofed.custom["spoofed"] == [[1.0, 3.0]]


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ([], "'u1': expected spoofed parts, got 0 parts"),
        ([("u1", 3.5, 1.0, "spoof")], "'u1': a turn is empty, or behind 3.000 s"),
        (
            [("u1", 0.0, 1.0, "spoof"), ("u2", 0.0, 1.0, "spoof")],
            "'u2': expected nothing that is spoofed, got 1 parts",
        ),
    ],
)
def test_turns_that_contradict_the_attack_are_refused(marked, turns, problem):
    with pytest.raises(DataError, match=problem):
        marked(*turns)
