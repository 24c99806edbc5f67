import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.data.supervisions import (
    Supervision,
    attack_in,
    bonafide_frames,
    read_genders,
    read_supervisions,
    spoofed_parts,
)
from asdkit.segmentation.segments import FrameTimes

WHOLE = Supervision("u1", 2.0, {"attack": "A01"})
PART = Supervision("u2", 2.0, {"attack": "A01", "spoofed": [[0.5, 1.0]]})
BONAFIDE = Supervision("u3", 2.0, {"attack": "bonafide"})


def test_the_spoofed_parts_are_all_some_or_nothing():
    assert spoofed_parts(WHOLE) == [(0.0, 2.0)]
    assert spoofed_parts(PART) == [(0.5, 1.0)]
    assert spoofed_parts(BONAFIDE) == []


@pytest.mark.parametrize("custom", [None, {}, {"codec": "C1"}])
def test_an_unknown_attack_is_an_error_not_bonafide(custom):
    with pytest.raises(DataError, match=r"'u'.*an attack or bonafide"):
        attack_in(Supervision("u", 1.0, custom))


def test_frames_are_labeled_by_their_middles():
    times = FrameTimes()
    middles = times.middles(205)
    labels = bonafide_frames(PART, times, 205)
    np.testing.assert_array_equal(labels == 0, (middles >= 0.5) & (middles < 1.0))
    assert middles[-1] > WHOLE.duration
    assert not bonafide_frames(WHOLE, times, 205).any()
    assert bonafide_frames(BONAFIDE, times, 205).all()


def test_supervisions_are_read_without_lhotse(speech):
    found = read_supervisions(speech)
    assert list(found) == sorted(found)
    assert len(found) == 10
    assert found["s0-u0"] == Supervision("s0-u0", 0.5, None)


def test_values_that_are_no_gender_are_kept_and_counted(tmp_path, caplog):
    path = tmp_path / "spk2gender"
    path.write_text("a m\nb F\nc male\n")
    assert read_genders(path) == {"a": "m", "b": "F", "c": "male"}
    assert not caplog.records
    path.write_text("a m\nb version\n")
    assert read_genders(path)["b"] == "version"
    assert "1 of 2 values are neither m nor f, first that of 'b'" in caplog.text
