"""A field that is not what it should be is named, whatever JSON makes of it."""

import json

import pytest

from asdkit.data.manifest_fields import (
    RECORDING,
    SUPERVISION,
    find_field_problem,
    find_missing_field,
)
from asdkit.data.manifest_rules import find_problem

GOOD_RECORDING = {
    **{"id": "u", "sampling_rate": 16000, "num_samples": 16000, "duration": 1},
    **{"channel_ids": [0, 1], "transforms": None},
    "sources": [{"type": "file", "channels": [0, 1], "source": "\N{SNOWMAN}.wav"}],
}
GOOD_SUPERVISION = {
    **{"id": "u", "recording_id": "u", "start": -0.0, "duration": 1.5, "channel": 0},
    **{"speaker": None, "text": "\N{SNOWMAN}", "custom": {"attack": "A01"}},
}
NO_NUMBER = ("NaN", "Infinity", "-1", '"16000"', "null", "true", "[1]", "1e300")
WRONG = [
    *[("sampling_rate", x) for x in (*NO_NUMBER, "0", "16000.5", "9" * 30)],
    *[("num_samples", x) for x in (*NO_NUMBER, "1.5")],
    *[("duration", x) for x in NO_NUMBER],
    *[("channel_ids", x) for x in ('"0"', "[]", '["0"]', "[-1]", "[true]", "0")],
    *[("transforms", x) for x in ('"Speed"', "{}", "1")],
    *[("start", x) for x in NO_NUMBER if x != "-1"],
    *[("channel", x) for x in (*NO_NUMBER, "0.5")],
    *[("recording_id", x) for x in ("null", "7", "[]")],
    *[("text", x) for x in ("7", "[]", r'"\ud800"')],
    *[("gender", x) for x in ("1", "true")],
    *[("custom", x) for x in ('"A01"', "[]", "1")],
]


def test_what_is_right_is_allowed():
    assert find_field_problem(GOOD_RECORDING, RECORDING) is None
    assert find_field_problem(GOOD_SUPERVISION, SUPERVISION) is None
    assert find_problem(GOOD_RECORDING) is None
    assert find_problem(GOOD_SUPERVISION) is None


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_field_is_named_with_its_value(name, value):
    good = GOOD_RECORDING if name in RECORDING else GOOD_SUPERVISION
    found = find_problem({**good, name: json.loads(value)})
    assert found is not None
    assert f"{name}" in found
    assert ", got " in found
    assert len(found) < 200


@pytest.mark.parametrize(
    "custom", [{"a": ["\ud800"]}, {"\udfff": 1}, {"a": {"b": "\ud800"}}]
)
def test_half_a_letter_is_refused_wherever_it_stands(custom):
    found = find_problem({**GOOD_SUPERVISION, "custom": custom})
    assert found is not None
    assert "expected text in UTF-8" in found
    found.encode()


@pytest.mark.parametrize("good", [GOOD_RECORDING, GOOD_SUPERVISION])
def test_a_field_that_is_missing_is_named(good):
    assert find_missing_field(good) is None
    for name in good.keys() & {"sources", "num_samples", "recording_id", "start"}:
        item = {key: value for key, value in good.items() if key != name}
        assert find_missing_field(item) == name
