import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.corpora.asvspoof_layouts import LAYOUTS, find, layout_of, require
from asdkit.io.protocols import ASV_LINES, CM_LINES


def test_every_layout_names_formats_that_can_be_read():
    layouts = [layout for parts in LAYOUTS.values() for layout in parts.values()]
    assert len(layouts) == 15
    assert {layout.cm_format for layout in layouts} <= CM_LINES.keys()
    assert {layout.asv_format for layout in layouts} - {""} <= ASV_LINES.keys()


def test_a_part_that_a_corpus_has_not_is_named():
    with pytest.raises(AsdkitError, match="asvspoof2021_la has no such part, only ev"):
        layout_of("asvspoof2021_la", "train")


def test_the_root_may_be_the_folder_above(tmp_path):
    (tmp_path / "keys" / "LA" / "CM").mkdir(parents=True)
    (tmp_path / "keys" / "LA" / "CM" / "trial_metadata.txt").touch()
    name = layout_of("asvspoof2021_la", "eval").cm
    expected = tmp_path / "keys" / name
    assert find(tmp_path, name) == find(tmp_path / "keys", name) == expected
    assert require(tmp_path, name) == expected
    assert find(tmp_path, "nothing") is None
    with pytest.raises(DataError, match="expected nothing in it, or in a folder"):
        require(tmp_path, "nothing")
