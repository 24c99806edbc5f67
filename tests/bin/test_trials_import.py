import pytest

from asdkit import __main__ as command


@pytest.fixture
def data(tmp_path):
    """Two utterances of one speaker, one of another."""
    data = tmp_path / "data"
    data.mkdir()
    utts = ("id10270-x6uYqmx31kE-00001", "id10270-8jEAjG6SegY-00008")
    utts = (*sorted(utts), "id10300-ize_eiCFEg0-00003")
    (data / "utt2spk").write_text("".join(f"{utt} {utt[:7]}\n" for utt in utts))
    return data


def test_a_list_of_files_becomes_trials(data):
    path = data / "veri_test2.txt"
    path.write_text(
        "1 id10270/x6uYqmx31kE/00001.wav id10270/8jEAjG6SegY/00008.wav\n"
        "0 id10270/x6uYqmx31kE/00001.wav id10300/ize_eiCFEg0/00003.wav\n"
    )
    argv = ["trials-import", str(path), str(data), str(data / "trials_o")]
    assert command.main(argv) == 0
    assert (data / "trials_o").read_text() == (
        "id10270-x6uYqmx31kE-00001 id10270-8jEAjG6SegY-00008 target\n"
        "id10270-x6uYqmx31kE-00001 id10300-ize_eiCFEg0-00003 nontarget\n"
    )


def test_an_utterance_that_is_not_there_is_one_line(data, capsys):
    path = data / "list.txt"
    path.write_text("0 id10270/x6uYqmx31kE/00001.wav id10301/a/00003.wav\n")
    argv = ["trials-import", str(path), str(data), str(data / "trials_e")]
    assert command.main(argv) == 1
    assert "lacks 1 of its utterances: 'id10301-a-00003'" in capsys.readouterr().err
    assert not (data / "trials_e").exists()
