import json

import numpy as np
import soundfile

from asdkit import __main__ as command


def test_a_folder_becomes_data_directories(tmp_path, monkeypatch, capsys, rng):
    monkeypatch.chdir(tmp_path)
    for spk in ("Ann Lee", "bob", "eve"):
        (tmp_path / "rec" / spk).mkdir(parents=True)
        soundfile.write(f"rec/{spk}/1.wav", rng.normal(size=4000) / 9, 8000)
    assert command.main(["data-prepare", "--split", "2:1", "rec", "data/all"]) == 0
    table = capsys.readouterr().out
    assert table.splitlines()[0].split() == ["what", "remarks", "number"]
    paths = ["data/all", "data/all_train", "data/all_test"]
    assert command.main(["data-validate", *paths]) == 0
    assert command.main(["data-prepare", "--json", "rec", "data/all"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["rows"][0]["number"] == 3
    assert np.loadtxt("data/all/utt2dur", dtype=str)[0].tolist() == ["Ann_Lee-1", "0.5"]
