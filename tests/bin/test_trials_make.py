import pytest

from asdkit import __main__ as command


@pytest.fixture
def data(tmp_path):
    """Two women with two utterances each, a man with one."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "utt2spk").write_text("u1 a\nu2 a\nu3 b\nu4 b\nu5 c\n")
    (data / "spk2gender").write_text("a f\nb f\nc m\n")
    return data


def test_all_pairs_but_within(data, capsys):
    within = ["--within", str(data / "spk2gender")]
    for options, counts in (([], (10, 2)), (within, (6, 2))):
        arguments = [*options, str(data), str(data / "trials")]
        assert command.main(["trials-make", *arguments]) == 0
        lines = (data / "trials").read_text().splitlines()
        targets = [line for line in lines if line.endswith(" target")]
        assert (len(lines), len(targets)) == counts
        assert "{} trials, {} of them target".format(*counts) in capsys.readouterr().err
    assert lines[0] == "u1 u2 target"


def test_a_speaker_without_a_value_is_named(data, capsys):
    (data / "spk2gender").write_text("a f\nb f\n")
    arguments = ["--within", str(data / "spk2gender"), str(data), str(data / "trials")]
    assert command.main(["trials-make", *arguments]) == 1
    err = capsys.readouterr().err
    assert "spk2gender: 1 of 5 ids have no value here" in err
    assert "'u5' of 'c'" in err
    assert not (data / "trials").exists()


def test_one_class_only_is_refused(data, capsys):
    (data / "utt2spk").write_text("u1 a\nu2 b\n")
    assert command.main(["trials-make", str(data), str(data / "trials")]) == 1
    assert "got 0 target and 1 nontarget" in capsys.readouterr().err


def test_speakers_are_tried_with_what_they_are_not_enrolled_with(data, capsys):
    """Each with all, but a spoof only with the woman it imitates."""
    (data / "utt2spk").write_text("u1 a\nu2 a\nu2-A01 a\nu3 b\nu4 b\nu5 c\n")
    (data / "utt2attack").write_text(
        "u1 bonafide\nu2 bonafide\nu2-A01 A01\nu3 bonafide\nu4 bonafide\nu5 bonafide\n"
    )
    (data / "enroll").write_text("a u1\nb u3\n")
    options = ["--enroll-spk2utt", str(data / "enroll")]
    arguments = [str(data), str(data / "asv_trials")]
    assert command.main(["trials-make", *options, *arguments]) == 0
    everywhere = (data / "asv_trials").read_text().splitlines()
    assert "7 trials, 2 of them target, 1 spoof" in capsys.readouterr().err
    options += ["--within", str(data / "spk2gender")]
    assert command.main(["trials-make", *options, *arguments]) == 0
    women = (data / "asv_trials").read_text().splitlines()
    expected = ["a u2 target", "a u2-A01 spoof", "a u4 nontarget"]
    expected += ["b u2 nontarget", "b u4 target"]
    assert women == expected
    assert sorted({*everywhere} - {*women}) == ["a u5 nontarget", "b u5 nontarget"]


def test_pairs_of_one_session_are_left_out(data, capsys):
    (data / "utt2session").write_text("u1 1\nu2 2\nu3 3\nu4 3\nu5 5\n")
    paths = [str(data), str(data / "trials")]
    across = ["--across", str(data / "utt2session")]
    assert command.main(["trials-make", *across, *paths]) == 0
    lines = (data / "trials").read_text().splitlines()
    assert len(lines) == 9
    assert "u3 u4 target" not in lines
    models = ["--enroll-spk2utt", str(data / "spk2gender")]
    assert command.main(["trials-make", *across, *models, *paths]) == 1
    assert "--across goes with pairs" in capsys.readouterr().err
