"""A Kaldi directory becomes one of ours, with all that a lab keeps in it."""

import pytest

from asdkit.base.errors import DataError
from asdkit.data.manifests import read_utterances
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def lines(path):
    return path.read_text().splitlines()


def test_tables_come_along(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    same = "utt2spk spk2utt wav.scp text spk2gender spk2age utt2num_frames trials"
    for name in (*same.split(), "feats.scp", "vad.scp", "enroll.spk2utt"):
        assert lines(tmp_path / "out" / name) == lines(lab / name), name


def test_relative_paths_start_from_the_root(lab, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"wav.scp:1: 6 of 6 recordings") as caught:
        import_directory(lab, out)
    assert "--root" in caught.value.hint
    assert not out.exists()
    import_directory(lab, out, root=str(tmp_path))
    assert read_utterances(out)[0].source == f"{tmp_path}/wav/s0-u0.wav"
    assert len(dict(read_arrays(f"scp:{out}/feats.scp"))) == 6


def test_ids_that_do_not_start_with_the_speaker_are_kept(lab, tmp_path, table, caplog):
    for name in ("wav.scp", "feats.scp", "vad.scp", "text", "utt2num_frames"):
        old = read_table(lab / name)
        (lab / name).write_text("".join(f"{k[3:]}{k[:2]} {old[k]}\n" for k in old))
    spks = {f"u{i}s{k}": f"s{k}" for k in range(3) for i in range(2)}
    (lab / "utt2spk").write_text("".join(f"{k} {v}\n" for k, v in spks.items()))
    import_directory(lab, tmp_path / "out")
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "6 of 6 utterance ids do not start with their speaker id" in warnings[0]
    assert list(read_table(tmp_path / "out" / "utt2spk")) == sorted(spks)
    assert list(read_table(tmp_path / "out" / "feats.scp")) == sorted(spks)
    assert lines(tmp_path / "out" / "spk2utt")[0] == "s0 u0s0 u1s0"


def test_it_may_be_imported_into_itself(lab):
    before = {p.name: p.read_text() for p in lab.iterdir()}
    import_directory(lab, lab)
    assert len(read_utterances(lab)) == 6
    assert {name: (lab / name).read_text() for name in before} == before


def test_contradictions_between_tables_are_named(lab, tmp_path, table):
    out = tmp_path / "out"
    table(lab / "utt2spk", read_table(lab / "utt2spk") | {"s9": "s9"})
    with pytest.raises(
        DataError, match=r"utt2spk:7: recording 's9' is not in"
    ) as caught:
        import_directory(lab, out)
    assert "data-validate" in caught.value.hint
    table(lab / "segments", {"s0-u0": "s0-u0 0 1"})
    with pytest.raises(DataError, match=r"utt2spk:2: 's0-u1' is not in .*segments"):
        import_directory(lab, out)
    (lab / "wav.scp").unlink()
    with pytest.raises(DataError, match=r"utt2spk:7: 's9' is not in .*feats.scp"):
        import_directory(lab, out)
    (lab / "feats.scp").unlink()
    with pytest.raises(DataError, match=r"expected wav.scp or feats.scp, got neither"):
        import_directory(lab, out)
    (lab / "utt2spk").write_text("")
    with pytest.raises(DataError, match="utt2spk: expected utterances, got an empty"):
        import_directory(lab, out)
    with pytest.raises(DataError, match="no such file or directory"):
        import_directory(lab / "no", out)


def test_features_that_are_a_command_are_refused(lab, tmp_path, table):
    table(lab / "feats.scp", {"s0-u0": "copy-feats x ark:- |"})
    with pytest.raises(DataError, match="commands are not run here"):
        import_directory(lab, tmp_path / "out", allow_pipes=True)


def test_kaldis_own_directory_is_read(golden, tmp_path):
    for part, num_utts in (("train", 48), ("test", 24)):
        out = tmp_path / part
        import_directory(golden / "data" / part, out, root=str(golden))
        assert len(read_utterances(out)) == num_utts
        frames = read_table(golden / "data" / part / "utt2num_frames")
        assert read_table(out / "utt2num_frames") == frames
        for item in read_utterances(out):
            # --snip-edges=false: one frame per 10 ms, rounded.
            assert int(item.duration * 100 + 0.5) == int(frames[item.utt])
