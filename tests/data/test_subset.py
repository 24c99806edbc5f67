import logging

import pytest

from asdkit.base.errors import DataError
from asdkit.data.directory_validation import validate
from asdkit.data.manifests import read_manifests, read_utterances
from asdkit.data.subset import (
    read_list,
    read_where,
    select,
    write_combined,
    write_subset,
)
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


@pytest.fixture
def data(lab, tmp_path):
    import_directory(lab, tmp_path / "in")
    return tmp_path / "in"


def utts(data_dir):
    return [item.utt for item in read_utterances(data_dir)]


def test_all_tables_are_restricted_together(data, tmp_path):
    out = tmp_path / "out"
    write_subset(data, out, ["s0-u0", "s0-u1", "s2-u1"])
    kept = ["s0-u0", "s0-u1", "s2-u1"]
    for name in (
        "feats.scp",
        "vad.scp",
        "utt2num_frames",
        "wav.scp",
        "text",
        "utt2spk",
    ):
        assert list(read_table(out / name)) == kept, name
        full = read_table(data / name)
        assert read_table(out / name) == {utt: full[utt] for utt in kept}
    assert (out / "spk2utt").read_text() == "s0 s0-u0 s0-u1\ns2 s2-u1\n"
    assert list(read_table(out / "spk2age")) == ["s0", "s2"]
    assert list(read_manifests(out).recordings) == kept
    assert (out / "enroll.spk2utt").read_text() == "model s0-u0\n"
    assert (out / "trials").read_text() == (
        "s0-u0 s0-u1 target\nmodel s2-u1 nontarget\n"
    )
    assert not validate(out).problems()


def test_a_model_without_utterances_takes_its_trials_along(data, tmp_path):
    write_subset(data, tmp_path / "out", ["s2-u0", "s2-u1"])
    assert not (tmp_path / "out" / "enroll.spk2utt").exists()
    assert not (tmp_path / "out" / "trials").exists()


def test_trials_of_models_from_elsewhere_stay(data, tmp_path):
    (data / "trials").write_text("other s2-u0 target\nother s0-u0 nontarget\n")
    write_subset(data, tmp_path / "out", ["s2-u0"])
    assert (tmp_path / "out" / "trials").read_text() == "other s2-u0 target\n"


def test_the_longest_are_the_longest(data):
    manifests = read_manifests(data)
    durations = {utt: x.duration for utt, x in manifests.supervisions.items()}
    chosen = select(manifests, longest=3)
    rest = set(durations) - set(chosen)
    assert len(chosen) == 3
    assert min(durations[u] for u in chosen) >= max(durations[u] for u in rest)
    assert select(manifests, longest=99) == sorted(durations)


def test_draws_depend_on_the_seed_only(data):
    manifests = read_manifests(data)
    draws = {tuple(select(manifests, random=3, seed=seed)) for seed in range(20)}
    assert len(draws) > 5
    assert all(len(set(draw)) == 3 for draw in draws)
    assert select(manifests, random=3, seed=1) == select(manifests, random=3, seed=1)


def test_so_many_of_every_speaker(data):
    manifests = read_manifests(data)
    draws = {tuple(select(manifests, per_spk=1, seed=seed)) for seed in range(20)}
    assert all([utt[:2] for utt in draw] == ["s0", "s1", "s2"] for draw in draws)
    assert len(draws) > 3
    assert len(select(manifests, per_spk=5)) == 6


def test_conditions_apply_one_after_the_other(data):
    manifests = read_manifests(data)
    assert select(manifests, utts={"s0-u0", "s1-u0", "s1-u1"}, spks={"s1", "s2"}) == [
        "s1-u0",
        "s1-u1",
    ]
    durations = {utt: x.duration for utt, x in manifests.supervisions.items()}
    (only,) = select(manifests, spks={"s1"}, longest=1)
    assert only == max(["s1-u0", "s1-u1"], key=durations.__getitem__)


def test_features_without_audio_have_subsets(lab, tmp_path):
    (lab / "wav.scp").unlink()
    import_directory(lab, tmp_path / "in")
    write_subset(tmp_path / "in", tmp_path / "out", ["s1-u0"])
    assert list(read_table(tmp_path / "out" / "feats.scp")) == ["s1-u0"]
    assert not validate(tmp_path / "out").problems()


def test_lists_are_first_words_and_must_be_known(tmp_path):
    path = tmp_path / "list"
    path.write_text("b and more\n\na\n")
    assert read_list(path, {"a", "b", "c"}) == {"a", "b"}
    with pytest.raises(DataError, match=r"list:1: 'b' is unknown \(2 such lines\)"):
        read_list(path, {"c"})


def test_nothing_left_and_the_same_directory_are_errors(data, tmp_path):
    with pytest.raises(DataError, match="no utterance is left"):
        write_subset(data, tmp_path / "out", [])
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="expected another directory than the input"):
        write_subset(data, data / ".." / data.name, ["s0-u0"])


def test_parts_combine_into_the_whole(data, tmp_path):
    write_subset(data, tmp_path / "1", ["s0-u0", "s1-u0", "s0-u1"])
    write_subset(data, tmp_path / "2", ["s1-u1", "s2-u0", "s2-u1"])
    write_combined([tmp_path / "2", tmp_path / "1"], tmp_path / "out")
    assert read_manifests(tmp_path / "out") == read_manifests(data)
    for path in data.iterdir():
        if path.name != "trials" and path.suffix != ".gz":
            assert (tmp_path / "out" / path.name).read_text() == path.read_text()


def test_a_table_that_one_part_lacks_is_left_out_and_named(data, tmp_path, caplog):
    write_subset(data, tmp_path / "1", ["s0-u0"])
    write_subset(data, tmp_path / "2", ["s1-u0"])
    (tmp_path / "2" / "vad.scp").unlink()
    caplog.set_level(logging.WARNING)
    write_combined([tmp_path / "1", tmp_path / "2"], tmp_path / "out")
    assert not (tmp_path / "out" / "vad.scp").exists()
    assert f"no vad.scp: {tmp_path}/2 has none" in caplog.text


def test_what_contradicts_is_not_combined(data, tmp_path, table):
    write_subset(data, tmp_path / "1", ["s0-u0"])
    write_subset(data, tmp_path / "2", ["s0-u1"])
    with pytest.raises(DataError, match="'s0-u0' is in an earlier directory, too"):
        write_combined([data, tmp_path / "1"], tmp_path / "out")
    table(tmp_path / "2" / "spk2age", {"s0": 60})
    with pytest.raises(
        DataError, match="spk2age: expected one line, got 's0 6', 's0 60'"
    ):
        write_combined([tmp_path / "1", tmp_path / "2"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def spoofed(lab, tmp_path, table):
    values = ["bonafide", "A01", "A02", "bonafide", "A01", "bonafide"]
    utts = sorted(read_table(lab / "utt2spk"))
    table(lab / "utt2attack", dict(zip(utts, values, strict=True)))
    import_directory(lab, tmp_path / "in")
    lines = ["s0 s0-u0 target", "s0 s0-u1 spoof", "s8 s1-u1 nontarget"]
    (tmp_path / "in" / "asv_trials").write_text("".join(f"{x}\n" for x in lines))
    (tmp_path / "in" / "asv_enroll.spk2utt").write_text("s0 e-1 e-2\ns8 e-3\n")
    return tmp_path / "in"


def test_a_table_says_which_utterances(spoofed):
    assert read_where(spoofed, "utt2attack=bonafide") == {"s0-u0", "s1-u1", "s2-u1"}
    expected = {"s0-u1", "s1-u0", "s2-u0"}
    assert read_where(spoofed, "utt2attack=A01,A02") == expected


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("utt2attack", "expected e.g. utt2attack=bonafide,A01, got 'utt2attack'"),
        ("trials=target", "expected e.g. utt2attack=bonafide,A01, got 'trials=target'"),
        (
            "utt2attack=A9",
            "no utterance has the value 'A9'; there are A01 A02 bonafide",
        ),
        ("utt2codec=alaw", "utt2codec: cannot read it"),
    ],
)
def test_a_condition_that_cannot_be_met_is_named(spoofed, condition, said):
    with pytest.raises(DataError, match=said):
        read_where(spoofed, condition)


def test_bona_fide_speech_takes_its_asv_trials_along(spoofed, tmp_path):
    out = tmp_path / "out"
    write_subset(spoofed, out, read_where(spoofed, "utt2attack=bonafide"))
    assert set(read_table(out / "utt2attack").values()) == {"bonafide"}
    lines = "s0 s0-u0 target\ns8 s1-u1 nontarget\n"
    assert (out / "asv_trials").read_text() == lines
    enrolled = (spoofed / "asv_enroll.spk2utt").read_text()
    assert (out / "asv_enroll.spk2utt").read_text() == enrolled
    assert not validate(out).problems()
