"""A file of localizer-tune becomes options of a bundle."""

import pytest

from asdkit.base.errors import DataError
from asdkit.inference.localizer_conf import read_localization
from asdkit.inference.stretches import Localization


def test_what_was_tuned_is_read_and_other_methods_are_refused(tmp_path):
    path = tmp_path / "fsa.conf"
    path.write_text("--method=fsa\n--min-spoof-sec=0.3\n--threshold=-1.5\n")
    expected = Localization(min_spoof_sec=0.3, threshold=-1.5)
    assert read_localization(path) == expected
    assert read_localization(None) == Localization()
    path.write_text("--method=median\n")
    with pytest.raises(DataError, match="expected --method=fsa, got median"):
        read_localization(path)
