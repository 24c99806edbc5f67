import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.countermeasures.evaluation import (
    Condition,
    Resampling,
    cm_table,
    describe_asv,
    sasv_table,
    spoofing_metrics,
    tandem_of,
)
from asdkit.countermeasures.keys import asv_scores_of
from asdkit.io.cm_scores import write_cm_scores
from asdkit.io.protocols import Protocol
from asdkit.metrics.eer import eer
from asdkit.metrics.sasv import a_dcf
from asdkit.metrics.tdcf import asv_rates, min_tdcf_2019, tandem_weights
from asdkit.metrics.teer import concurrent_teer

ATTACKS = ["A07", "A08"]


def draw_key(rng, num=400):
    """A key of utterances of 20 speakers, half of them spoofed, with two codecs."""
    attack = rng.choice(["bonafide", "bonafide", *ATTACKS], num)
    key = np.where(attack == "bonafide", "bonafide", "spoof")
    columns = {"room": rng.choice(["R1", "R2"], num).tolist()}
    return Protocol(
        [f"u{i:03d}" for i in range(num)],
        [f"s{i:02d}" for i in rng.integers(20, size=num)],
        attack.tolist(),
        rng.choice(["none", "alaw"], num).tolist(),
        ["-"] * num,
        key.tolist(),
        key == "bonafide",
        columns,
    )


def draw_trials(rng, num=600):
    """The same with pairs: a third each of target, nontarget and spoof."""
    key = draw_key(rng, num)
    trial = np.array(key.key, dtype=object)
    trial[key.is_bonafide] = rng.choice(["target", "nontarget"], key.is_bonafide.sum())
    return key._replace(key=[str(name) for name in trial])


@pytest.fixture
def key(rng):
    return draw_key(rng)


@pytest.fixture
def cm(rng, key):
    return 2 * key.is_bonafide + rng.normal(size=len(key.utt))


@pytest.fixture
def asv(rng):
    trials = draw_trials(rng)
    lift = np.array([{"target": 3, "nontarget": 0, "spoof": 2}[k] for k in trials.key])
    return asv_scores_of(trials, lift + rng.normal(size=len(lift)))


def cells(table, *names):
    """Find the row that begins so, split at two blanks."""
    for line in str(table).splitlines():
        row = [cell.strip() for cell in line.split("  ") if cell]
        if row[: len(names)] == list(names):
            return row[len(names) :]
    raise AssertionError(f"no row {names} in\n{table}")


def test_every_row_is_its_condition(key, cm, asv):
    table = cm_table("asvspoof2019", key, {"a": cm}, asv, by=("attack", "codec"))
    attack, codec = np.array(key.attack), np.array(key.codec)
    bona = key.is_bonafide
    rows = {
        "pooled": (bona, ~bona, Condition()),
        "attack A07": (bona, attack == "A07", Condition("attack", "A07")),
        "codec alaw": (
            bona & (codec == "alaw"),
            ~bona & (codec == "alaw"),
            Condition("codec", "alaw"),
        ),
    }
    for name, (first, second, condition) in rows.items():
        found = cells(table, "a", name)
        chosen = condition.rows(asv.columns, len(asv.key))
        classes = asv.classes(chosen)
        weights = tandem_weights(asv_rates(*classes))
        assert found[0] == f"{100 * eer(cm[first], cm[second]):.4f}"
        assert found[3] == f"{min_tdcf_2019(cm[first], cm[second], weights):.4f}"
        teer = concurrent_teer(cm[first], cm[second], *classes)
        assert found[4] == f"{100 * teer:.4f}"
        assert found[5:] == [f"{first.sum()}", f"{second.sum()}"]
    assert table.notes[-1] == describe_asv("asvspoof2019", asv)


def test_uncoded_speech_is_a_condition_beside_the_codecs(key, cm):
    """As in ASVspoof 5, where "-" stands for no codec."""
    codec = np.where(np.array(key.codec) == "alaw", "C05", "-")
    coded = key._replace(codec=codec.tolist())
    table = cm_table("asvspoof5", coded, {"a": cm}, by=("codec",))
    for name, value in (("codec none", "-"), ("codec C05", "C05")):
        classes = [
            cm[(codec == value) & x] for x in (key.is_bonafide, ~key.is_bonafide)
        ]
        found = cells(table, "a", name)
        assert found[2] == f"{100 * eer(*classes):.4f}"
        assert found[-2:] == [f"{len(x)}" for x in classes]


def test_an_attack_is_measured_with_its_own_spoofs(asv):
    """ASVspoof 2021: C0 and C1 are of all bona fide trials, C2 is of the attack."""
    pooled = tandem_of(asv).weights
    of_attacks = [tandem_of(asv, Condition("attack", a)).weights for a in ATTACKS]
    for weights in of_attacks:
        assert weights[:2] == pooled[:2]
    assert of_attacks[0].c2 != of_attacks[1].c2


def test_conditions_that_the_asv_scores_do_not_know_have_no_tdcf(key, cm, asv):
    anonymous = asv._replace(columns={"attack": asv.columns["attack"]})
    table = cm_table("asvspoof2021", key, {"a": cm}, anonymous, by=("room",))
    assert cells(table, "a", "room R1")[3:5] == ["-", "-"]
    assert "-" not in cells(table, "a", "pooled")


def test_only_the_2021_form_has_a_floor(asv):
    assert "floor" in describe_asv("asvspoof2021", asv)
    assert "floor" not in describe_asv("asvspoof2019", asv)


def test_what_only_spoofs_have_is_told_from_all_bonafide_speech(key, cm, caplog):
    """Vocoders of 2021 DF; rooms, which bona fide speech is in, too, are apart."""
    vocoder = np.where(key.is_bonafide, "bonafide", np.array(key.attack) + "v")
    columns = key.columns | {"vocoder": vocoder.tolist(), "lone": ["-"] * len(cm)}
    columns["lone"][:2] = ["x", "y"]
    columns["lone"][2 + int(np.argmax(key.is_bonafide[2:]))] = "x"
    many = key._replace(columns=columns)
    table = cm_table("asvspoof2021", many, {"a": cm}, by=("vocoder", "lone"))
    bonafide, spoof = cm[key.is_bonafide], cm[vocoder == "A07v"]
    found = cells(table, "a", "vocoder A07v")
    assert found[0] == f"{100 * eer(bonafide, spoof):.4f}"
    assert found[-2:] == [f"{len(bonafide)}", f"{len(spoof)}"]
    assert "lone y: trials of one class only: left out" in caplog.text


def test_an_unknown_column_is_named_with_the_known(key, cm):
    with pytest.raises(DataError, match="attack, codec, room; got vocoder"):
        cm_table("asvspoof2019", key, {"a": cm}, by=("vocoder",))


def test_pairs_are_measured_by_attack_too(rng):
    key = draw_trials(rng)
    scores = rng.normal(size=len(key.utt)) + 2 * (np.array(key.key) == "target")
    found = cells(sasv_table(key, {"a": scores}), "a", "attack A08")
    keys, attack = np.array(key.key), np.array(key.attack)
    target, nontarget = scores[keys == "target"], scores[keys == "nontarget"]
    spoof = scores[attack == "A08"]
    assert found[2] == f"{100 * eer(target, spoof):.4f}"
    assert found[3] == f"{a_dcf(target, nontarget, spoof):.4f}"


def test_intervals_need_speakers(key, cm):
    table = cm_table("asvspoof5", key, {"a": cm}, resampling=Resampling(50))
    assert "[" in cells(table, "a", "pooled")[0]
    nameless = key._replace(spk=["-"] * len(key.utt))
    with pytest.raises(DataError, match="does not name the speakers") as caught:
        cm_table("asvspoof5", nameless, {"a": cm}, resampling=Resampling(50))
    assert "--utt2spk" in caught.value.hint


def test_speakers_from_a_table_are_those_of_the_key(tmp_path, key, cm):
    lines = [f"{u} {s}\n" for u, s in zip(key.utt, key.spk, strict=True)]
    (tmp_path / "utt2spk").write_text("".join(lines))
    nameless = key._replace(spk=["-"] * len(key.utt))
    resampling = Resampling(50, utt2spk=tmp_path / "utt2spk")
    from_table = cm_table("asvspoof5", nameless, {"a": cm}, resampling=resampling)
    assert from_table == cm_table(
        "asvspoof5", key, {"a": cm}, resampling=Resampling(50)
    )
    (tmp_path / "utt2spk").write_text(lines[0])
    with pytest.raises(DataError, match="it lacks 'u001'"):
        cm_table("asvspoof5", nameless, {"a": cm}, resampling=resampling)


def test_a_sasv_table_tells_of_both_its_systems(tmp_path, rng):
    key = draw_trials(rng)
    lines = [
        f"{s} {u} {k}\n" for s, u, k in zip(key.spk, key.utt, key.key, strict=True)
    ]
    (tmp_path / "asv_trials").write_text("".join(lines))
    scores = rng.normal(size=(len(key.utt), 3))
    scores += np.array([[k != "spoof", k == "target", k == "target"] for k in key.key])
    rows = [
        f"{s}\t{u}\t{a}\t{b}\t{c}\n"
        for s, u, (a, b, c) in zip(key.spk, key.utt, scores.tolist(), strict=True)
    ]
    header = "spk\tfilename\tcm-score\tasv-score\tsasv-score\n"
    (tmp_path / "sasv").write_text(header + "".join(rows))
    path = f"{tmp_path / 'sasv'}"
    sasv, cm = spoofing_metrics(tmp_path / "asv_trials", [path], "asvspoof5")
    assert len(cells(sasv, path, "pooled")) == 8
    assert "min t-DCF(2021)" in cm.titles
    keys = np.array(key.key)
    found = cells(cm, f"{path}: cm-score", "pooled")
    expected = eer(scores[keys != "spoof", 0], scores[keys == "spoof", 0])
    assert f"{100 * expected:.4f}" in found


def test_files_in_a_table_out(tmp_path, key, cm):
    lines = [f"{u} {a}\n" for u, a in zip(key.utt, key.attack, strict=True)]
    (tmp_path / "utt2attack").write_text("".join(lines))
    write_cm_scores(tmp_path / "scores", key.utt, cm)
    paths = tmp_path / "utt2attack", [tmp_path / "scores"]
    (table,) = spoofing_metrics(*paths, "asvspoof2019", by="none")
    assert len(table.rows) == 1
    (table,) = spoofing_metrics(*paths, "asvspoof2019")
    assert "codec" not in str(table)
