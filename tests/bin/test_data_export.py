from asdkit.__main__ import main


def test_what_comes_in_goes_out(golden, tmp_path):
    source = golden / "data" / "test"
    inside, outside = str(tmp_path / "in"), str(tmp_path / "out")
    assert main(["kaldi-import", "--root", str(golden), str(source), inside]) == 0
    assert main(["data-export", "--prefix-speaker", "true", inside, outside]) == 0
    for name in ("utt2spk", "spk2utt", "trials", "trials_multi", "enroll.spk2utt"):
        assert (tmp_path / "out" / name).read_text() == (source / name).read_text()
