"""Whatever stands in a text file, a reader gives a value or one `DataError`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays, read_scp
from asdkit.io.asv_scores import read_asv_scores
from asdkit.io.cm_scores import read_cm_scores, read_sasv_scores, write_cm_scores
from asdkit.io.protocols import (
    ASV_LINES,
    CM_LINES,
    kind_of,
    read_asv_protocol,
    read_cm_protocol,
    read_enrollment,
)
from asdkit.io.rttm import Turn, read_rttm, write_rttm
from asdkit.io.tables import invert, read_lines, read_table, write_table
from asdkit.io.trials import (
    Trials,
    match_scores,
    pairs_of,
    read_pairs,
    read_scores,
    read_trials,
    write_scores,
    write_trials,
)

# Each test draws the same examples every time, and few enough for a second.
quickly = settings(max_examples=60, derandomize=True, deadline=None, database=None)

# What an id is made of: no blanks, no halves of characters.
LETTERS = st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"))
WORDS = st.text(LETTERS, min_size=1, max_size=8)
NUMBERS = st.floats(allow_nan=False, width=32)
# What damaged or foreign files are made of: words that readers know, and anything else.
KNOWN = [
    *("target", "nontarget", "spoof", "bonafide", "-", "1", "0", "2.5", "-1e3", "nan"),
    *("inf", "1_0", "0x1", "1e999", "\N{ARABIC-INDIC DIGIT THREE}", "SPEAKER", "<NA>"),
    *("u1", "u2", "s1", "A01", "eval", "notrim", "la_tx", "spk", "filename"),
    *("cm-score", "asv-score", "sasv-score", "../x", "x.ark:12", "x.ark:12[0:3]"),
    *("ark:-", "cat", "|", ";", "#", "[", "]", "\0", "\ufeff"),
]
PIECES = st.one_of(
    st.sampled_from([*KNOWN, "\n", "\n", "\r\n", "\t", " ", "  ", ""]),
    st.text(max_size=5),
)
TEXTS = (
    st.lists(PIECES, max_size=30)
    .map(" ".join)
    .map(lambda x: x.encode("utf-8", "replace"))
)
ROWS = st.lists(
    st.lists(st.sampled_from(KNOWN), min_size=1, max_size=12).map(" ".join), max_size=6
).map(lambda lines: "".join(f"{line}\n" for line in lines).encode())
CONTENTS = st.one_of(TEXTS, ROWS, st.binary(max_size=200))


def read_archive(path):
    return list(read_arrays(f"ark:{path}"))


def read_table_of_archives(path):
    return list(read_arrays(f"scp:{path}"))


READERS = [
    *(read_lines, read_table, read_scp, read_trials, read_pairs, read_scores),
    *(read_cm_scores, read_sasv_scores, read_asv_scores, read_enrollment, read_rttm),
    *(read_archive, read_table_of_archives),
]


def attempt(read, *args):
    """Return what a reader gives, and why it gives nothing."""
    try:
        return read(*args), ""
    except DataError as error:
        return None, str(error)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("properties") / "file"


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@quickly
@given(content=CONTENTS)
def test_any_text_gives_a_value_or_a_data_error(path, read, content):
    path.write_bytes(content)
    refusal = attempt(read, path)[1]
    assert "\n" not in refusal
    assert "\0" not in refusal


@pytest.mark.parametrize("kind", [*CM_LINES])
@quickly
@given(content=CONTENTS)
def test_any_text_is_a_cm_protocol_or_a_data_error(path, kind, content):
    path.write_bytes(content)
    protocol, refusal = attempt(read_cm_protocol, path, kind)
    assert "\n" not in refusal
    if protocol is not None:
        assert len(set(protocol.utt)) == len(protocol.utt) == len(protocol.is_bonafide)


@pytest.mark.parametrize("kind", [*ASV_LINES])
@quickly
@given(content=CONTENTS)
def test_any_text_is_an_asv_protocol_or_a_data_error(path, kind, content):
    path.write_bytes(content)
    assert attempt(kind_of, path, ASV_LINES)[0] in (None, *ASV_LINES)
    protocol, refusal = attempt(read_asv_protocol, path, kind)
    assert "\n" not in refusal
    if protocol is not None:
        assert len(protocol.utt) == len(protocol.spk) == len(protocol.key)


@quickly
@given(table=st.dictionaries(WORDS, WORDS, max_size=8))
def test_a_table_is_read_as_it_was_written_in_the_order_of_its_bytes(path, table):
    write_table(path, table)
    found = read_table(path)
    assert found == table
    assert [key.encode() for key in found] == sorted(key.encode() for key in table)


@quickly
@given(utt2spk=st.dictionaries(WORDS, WORDS, max_size=8))
def test_inverting_a_table_loses_no_utterance(utt2spk):
    spk2utt = invert(utt2spk)
    assert {utt: spk for spk, utts in spk2utt.items() for utt in utts} == utt2spk
    assert sum(map(len, spk2utt.values())) == len(utt2spk)


PAIRS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8, unique=True)


@quickly
@given(pairs=PAIRS, data=st.data())
def test_trials_are_read_as_they_were_written(path, pairs, data):
    keys = data.draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    numbered = pairs_of(*zip(*pairs, strict=True))
    trials = Trials(*vars(numbered).values(), np.array(keys))
    write_trials(path, trials)
    found = read_trials(path)
    assert [found.name(row) for row in range(len(found))] == [
        " ".join(x) for x in pairs
    ]
    assert found.is_target.tolist() == keys


@quickly
@given(pairs=PAIRS, data=st.data())
def test_scores_in_any_order_find_their_trials(path, pairs, data):
    size = len(pairs)
    values = data.draw(st.lists(NUMBERS, min_size=size, max_size=size))
    order = data.draw(st.permutations(range(size)))
    trials = pairs_of(*zip(*pairs, strict=True))
    shuffled = pairs_of(*zip(*(pairs[i] for i in order), strict=True))
    write_scores(path, shuffled, np.array([values[i] for i in order]))
    found = match_scores(trials, read_scores(path), "trials", path)
    np.testing.assert_allclose(found, values, rtol=1e-6)


@quickly
@given(scores=st.dictionaries(WORDS, NUMBERS, min_size=1, max_size=8))
def test_scores_of_utterances_are_read_as_they_were_written(path, scores):
    write_cm_scores(path, list(scores), np.array(list(scores.values())))
    found = read_cm_scores(path)
    assert found.utt == list(scores)
    np.testing.assert_allclose(found.values, list(scores.values()), rtol=1e-6)


TIMES = st.integers(0, 10**6).map(lambda x: x / 1000)
TURNS = st.builds(Turn, WORDS, TIMES, TIMES, WORDS, st.integers(1, 9))


@quickly
@given(turns=st.lists(TURNS, max_size=8))
def test_turns_are_read_as_they_were_written(path, turns):
    write_rttm(path, turns)
    found = [turn for of_reco in read_rttm(path).values() for turn in of_reco]
    assert sorted(found) == sorted(turns)
