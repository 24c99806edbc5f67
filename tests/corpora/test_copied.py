"""Copies of data directories."""

import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.batches.cut_arrays import load_samples
from asdkit.corpora.copied import write_copy
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import read_utterances
from asdkit.data.subset import write_combined
from asdkit.kaldi.import_data import import_directory


@pytest.fixture
def imported(lab):
    import_directory(lab, "data/in")
    return "data/in"


def lines_of(path):
    with open(path) as file:
        return file.read().splitlines()


def test_a_prefix_renames_utterances_in_every_table_but_not_speakers(imported):
    write_copy(imported, "data/out", utt_prefix="x-")
    for before, after in zip(
        read_utterances(imported), read_utterances("data/out"), strict=True
    ):
        assert after == before._replace(utt="x-" + before.utt)
    assert lines_of("data/out/trials") == [
        "x-s0-u0 x-s0-u1 target",
        "x-s0-u0 x-s1-u0 nontarget",
        "model x-s2-u1 nontarget",
    ]
    assert lines_of("data/out/enroll.spk2utt") == ["model x-s0-u0 x-s1-u0"]
    feats = lines_of("data/in/feats.scp")
    assert lines_of("data/out/feats.scp") == ["x-" + line for line in feats]
    assert lines_of("data/out/spk2gender") == lines_of("data/in/spk2gender")


def test_copies_under_other_names_can_be_combined(imported):
    write_copy(imported, "data/out", utt_prefix="x-")
    write_combined([imported, "data/out"], "data/both")
    assert len(read_utterances("data/both")) == 12
    assert len(lines_of("data/both/trials")) == 6


def test_a_crop_is_the_middle_of_an_utterance(imported):
    write_copy(imported, "data/out", crop_sec=0.5)
    whole = {cut.id: cut for cut in read_cuts(imported, features=False)}
    for cut in read_cuts("data/out", features=False):
        samples = load_samples(whole[cut.id])
        start = round((whole[cut.id].duration - 0.5) / 2 * cut.sampling_rate)
        piece = load_samples(cut)
        assert len(piece) == round(0.5 * cut.sampling_rate)
        assert (piece == samples[start : start + len(piece)]).all()


def test_what_is_shorter_than_a_crop_stays_whole(imported):
    write_copy(imported, "data/out", crop_sec=1.005)
    for before, after in zip(
        read_utterances(imported), read_utterances("data/out"), strict=True
    ):
        assert after.duration == pytest.approx(min(before.duration, 1.005))


def test_features_of_whole_utterances_do_not_describe_crops(imported, tmp_path):
    write_copy(imported, "data/out", crop_sec=0.5)
    names = {path.name for path in (tmp_path / "data/out").iterdir()}
    assert "trials" in names
    assert not names & {"feats.scp", "vad.scp", "utt2num_frames"}


def test_a_prefix_without_spaces_and_another_directory_are_asked_for(imported):
    with pytest.raises(AsdkitError, match="without spaces"):
        write_copy(imported, "data/out", utt_prefix="a b")
    with pytest.raises(DataError, match="another directory"):
        write_copy(imported, imported, utt_prefix="x-")
