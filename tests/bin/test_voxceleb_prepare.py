import numpy as np
import pytest
import soundfile

from asdkit import __main__ as command

META = "VoxCeleb2 ID ,VGGFace2 ID ,Gender,Set \n"


@pytest.fixture
def root(tmp_path):
    """VoxCeleb2 with a speaker of each part."""
    (tmp_path / "vox2_meta.csv").write_text(
        f"{META}id00012 ,n000001 ,m ,dev\nid00017 ,n000012 ,f ,test\n"
    )
    for spk in ("id00012", "id00017"):
        video = tmp_path / "aac" / spk / "01dfn2spqyE"
        video.mkdir(parents=True)
        soundfile.write(video / "00001.wav", np.zeros(1600), 16000)
    return tmp_path


def test_a_part_becomes_a_data_directory(root):
    data = root / "data"
    argv = ["voxceleb-prepare", "--part", "test", str(root), str(data)]
    assert command.main(argv) == 0
    utt = "id00017-01dfn2spqyE-00001"
    expected = {"utt2spk": "id00017", "utt2dur": "0.1"}
    for name, value in expected.items():
        assert (data / name).read_text() == f"{utt} {value}\n"
    assert (data / "spk2gender").read_text() == "id00017 f\n"
    assert command.main(["data-validate", str(data)]) == 0


def test_a_root_that_is_none_is_one_line(root, capsys):
    assert command.main(["voxceleb-prepare", str(root / "aac"), "data"]) == 1
    message = capsys.readouterr().err
    assert "expected one of vox1_meta.csv and vox2_meta.csv, got none" in message
    assert "Traceback" not in message
