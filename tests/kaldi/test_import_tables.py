"""Tables of a Kaldi directory, however a lab has written them."""

import pytest

from asdkit.base.errors import DataError
from asdkit.data.manifests import read_utterances
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def test_tabs_and_unsorted_lines_are_read(lab, tmp_path):
    text = (lab / "utt2spk").read_text().replace(" ", "\t").splitlines()
    (lab / "utt2spk").write_text("\n".join(reversed(text)) + "\n")
    import_directory(lab, tmp_path / "out")
    assert list(read_table(tmp_path / "out" / "utt2spk")) == sorted(
        read_table(lab / "utt2spk")
    )


def test_spk2utt_alone_tells_the_speakers(lab, tmp_path):
    expected = (lab / "utt2spk").read_text()
    (lab / "utt2spk").unlink()
    import_directory(lab, tmp_path / "out")
    assert (tmp_path / "out" / "utt2spk").read_text() == expected
    (lab / "spk2utt").write_text("s0 s0-u0 s0-u7\n")
    with pytest.raises(DataError, match="utt2spk: recording 's0-u7' is not in"):
        import_directory(lab, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "value"), [("utt2spk", "s0 extra"), ("utt2attack", "A01 A02")]
)
def test_a_word_too_many_is_named_where_it_is(lab, tmp_path, table, name, value):
    """supervisions.jsonl.gz was blamed, which was not written yet."""
    words = {utt: "s0" for utt in read_table(lab / "utt2spk")} | {"s0-u1": value}
    table(lab / name, words)
    with pytest.raises(DataError, match=rf"{name}:2: expected '<utt> <\w+>', got 's0"):
        import_directory(lab, tmp_path / "out")


def test_a_byte_order_mark_is_no_part_of_an_id(lab, tmp_path):
    for name in ("wav.scp", "utt2spk", "feats.scp"):
        text = (lab / name).read_text()
        (lab / name).write_text(text, encoding="utf-8-sig")
    import_directory(lab, tmp_path / "out")
    assert read_utterances(tmp_path / "out")[0].utt == "s0-u0"
