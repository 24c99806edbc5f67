"""Whatever JSON a manifest holds, it is read, or refused by one `DataError`."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdkit.base.errors import DataError
from asdkit.data.directory_validation import validate
from asdkit.data.manifest_rules import find_problem
from asdkit.data.manifests import read_utterances

quickly = settings(max_examples=60, derandomize=True, deadline=None, database=None)
SOURCE = {"type": "file", "channels": [0], "source": "u.wav"}
RECORDING = {
    **{"id": "u", "sources": [SOURCE], "sampling_rate": 16000, "num_samples": 16000},
    **{"duration": 1.0, "channel_ids": [0]},
}
SUPERVISION = {
    **{"id": "u", "recording_id": "u", "start": 0.0, "duration": 1.0, "channel": 0},
    **{"speaker": "s", "custom": {"attack": "A01"}},
}
# Lone halves of characters, too: JSON can hold them, files cannot.
TEXTS = st.one_of(
    st.text(max_size=5), st.sampled_from(["command", "u", "../x", "\ud800"])
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just(10**400)
)
KEYS = st.sampled_from([*RECORDING, *SUPERVISION, *SOURCE, "transforms", "name", "z"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


def replaced(item):
    """Draw an item with one or two of its fields replaced."""
    changes = st.dictionaries(
        st.sampled_from([*item, "transforms", "z"]), VALUES, max_size=2
    )
    return changes.map(lambda change: {**item, **change})


def write(folder, recordings, supervisions):
    for name, items in {"recordings": recordings, "supervisions": supervisions}.items():
        text = "".join(f"{json.dumps(item)}\n" for item in items)
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("properties")


@quickly
@given(item=VALUES)
def test_any_value_is_judged(item):
    assert find_problem(item) is None or "\n" not in find_problem(item)


@quickly
@given(recording=replaced(RECORDING), supervision=replaced(SUPERVISION))
def test_any_field_is_read_or_refused(folder, recording, supervision):
    write(folder, [recording], [supervision])
    try:
        found = read_utterances(folder)
    except DataError as error:
        refusal = str(error)
        assert refusal.startswith(str(folder))
    else:
        assert [utt.utt for utt in found] == [supervision["id"]]
        assert all(
            utt.utt.isprintable() and utt.utt.split() == [utt.utt] for utt in found
        )


@quickly
@given(recording=replaced(RECORDING), supervision=replaced(SUPERVISION))
def test_any_directory_can_be_validated(folder, recording, supervision):
    write(folder, [recording], [supervision])
    try:
        report = validate(folder)
    except DataError as error:
        refusal = str(error)
        assert refusal.startswith(str(folder))
    else:
        assert report.num_problems == 0 or report.problems()


@quickly
@given(
    contents=st.lists(
        st.one_of(st.binary(max_size=50), VALUES.map(json.dumps).map(str.encode)),
        min_size=2,
        max_size=2,
    ),
    is_zipped=st.booleans(),
)
def test_any_bytes_are_read_or_refused(folder, contents, is_zipped):
    for name, content in zip(("recordings", "supervisions"), contents, strict=True):
        content = gzip.compress(content) if is_zipped else content
        (folder / f"{name}.jsonl.gz").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_utterances(folder)
    assert "\n" not in str(caught.value)
