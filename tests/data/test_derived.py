"""Tables keep the audio, or the utterances, that they were derived from."""

import pytest

from asdkit.base.errors import DataError
from asdkit.data.derived import (
    check_derived,
    is_trials,
    join_origins,
    keep_origins,
    list_derived,
    origin_of_audio,
    origin_of_features,
    origin_of_utterances,
)
from asdkit.data.manifests import read_utterances, write_utterances
from asdkit.io.origins import Origin, note_origins


@pytest.fixture
def data(speech):
    """The fixture `speech`, whose tables are said to be of it."""
    (speech / "trials").write_text("s0-u0 s0-u1 target\n")
    audio, utterances = origin_of_audio(speech), origin_of_utterances(speech)
    known = {"feats.scp": audio, "vad.scp": audio, "trials": utterances}
    note_origins(speech, known)
    return speech


def cut(data):
    """Let every utterance be half as long: other audio."""
    halves = [x._replace(duration=x.duration / 2) for x in read_utterances(data)]
    write_utterances(data, halves)


def rename(data):
    """Let all utterances be of one speaker: the same audio."""
    write_utterances(data, [x._replace(spk="s0") for x in read_utterances(data)])


def test_trials_and_tables_of_audio_are_derived(data):
    assert list_derived(data) == ["feats.scp", "trials", "vad.scp"]
    assert list_derived(data / "none") == []
    assert [is_trials(x) for x in ("trials_f", "asv_scores", "feats.scp")] == [
        *(True, True, False),
    ]


def test_tables_of_what_is_there_are_taken(data):
    assert check_derived(data).keys() == {"feats.scp", "vad.scp", "trials"}
    assert check_derived(data, ["vad.scp", "none"]).keys() == {"vad.scp"}
    assert check_derived(data, without=["trials", "vad.scp"]).keys() == {"feats.scp"}
    assert origin_of_features(data).of == origin_of_audio(data).of


def test_other_audio_makes_features_stale_and_other_speakers_trials(data, caplog):
    rename(data)
    assert "trials was made from other audio or utterances" in caplog.text
    assert check_derived(data, ["feats.scp"])
    with pytest.raises(DataError, match="trials"):
        check_derived(data)
    cut(data)
    with pytest.raises(DataError, match=r"feats\.scp"):
        check_derived(data, ["feats.scp"])
    with pytest.raises(DataError, match=r"feats\.scp"):
        origin_of_features(data)


def test_features_of_unknown_origin_are_warned_of(speech, caplog):
    assert check_derived(speech, ["feats.scp"]) == {}
    assert origin_of_features(speech) is None
    assert "no record of what feats.scp was derived from" in caplog.text


def test_what_is_joined_is_known_only_if_all_parts_are(data, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    first = Origin("a", {"manifests": "1"}, {"ark/a": {"x": "1"}})
    second = Origin("b", {"manifests": "2"}, {"ark/b": {"x": "2"}})
    parts = [{"feats.scp": first}, {"feats.scp": second}]
    (other / "feats.scp").touch()
    joined = join_origins(parts, [data, other])
    assert joined == {
        "feats.scp": first._replace(
            archives=dict([*first.archives.items(), *second.archives.items()])
        )
    }
    assert join_origins([parts[0], {}], [data, other]) == {}
    (other / "feats.scp").unlink()
    assert join_origins([parts[0], {}], [data, other]) == parts[0]


def test_a_repair_leaves_tables_of_what_they_were(data):
    with keep_origins(data):
        write_utterances(data, read_utterances(data)[:-1])
    assert check_derived(data).keys() == {"feats.scp", "vad.scp", "trials"}


def test_a_repair_makes_nothing_good_that_was_stale(data):
    cut(data)
    with keep_origins(data):
        write_utterances(data, read_utterances(data)[:-1])
    with pytest.raises(DataError, match=r"feats\.scp"):
        check_derived(data, ["feats.scp"])
