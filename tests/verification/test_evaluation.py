import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.trials import pairs_of, write_scores
from asdkit.verification.evaluation import verification_metrics


@pytest.fixture
def files(tmp_path, rng):
    """Trials of 15 speakers with two utterances each, all against all."""
    utts = [f"s{i // 2:02d}-{i % 2}" for i in range(30)]
    names = [(a, b) for a in utts for b in utts if a < b]
    lines = [
        f"{a} {b} {'target' if a[:3] == b[:3] else 'nontarget'}\n" for a, b in names
    ]
    (tmp_path / "trials").write_text("".join(lines))
    (tmp_path / "utt2spk").write_text("".join(f"{u} {u[:3]}\n" for u in utts))
    values = np.array([a[:3] == b[:3] for a, b in names]) * 2
    pairs = pairs_of(*zip(*names, strict=True))
    for name in "ab":
        write_scores(tmp_path / name, pairs, values + rng.normal(size=len(names)))
    return tmp_path


def test_voxceleb_has_its_own_prior(files):
    head = str(verification_metrics(files / "trials", [files / "a"], "voxceleb"))
    assert "minDCF(0.05)" in head
    assert "Kaldi" not in head


def test_both_speakers_of_a_pair_widen_the_interval(files, caplog):
    """asdkit compare took each of 79 utterances of 4 speakers for a speaker, and said
    better where nothing can be told."""
    options = (files / "trials", [files / "a"], "voxceleb", 200)
    table = files / "utt2spk"
    given, beside = (verification_metrics(*options, utt2spk=x) for x in (table, None))
    assert given == beside
    assert caplog.text == ""
    table.rename(files / "elsewhere")
    of_models = verification_metrics(*options)
    assert str(given).count("[") == str(of_models).count("[") == 7
    assert given != of_models
    assert "there is no utt2spk beside it: every enrolled model is" in caplog.text


def test_a_table_of_other_utterances_is_no_default(files, caplog):
    (files / "utt2spk").write_text("s00-0 s00\n")
    verification_metrics(files / "trials", [files / "a"], num_replicates=5)
    assert "utt2spk lacks 's00-1': every enrolled model is taken" in caplog.text


def test_a_table_that_lacks_an_utterance_is_named(files):
    (files / "utt2spk").write_text("s00-0 s00\n")
    with pytest.raises(DataError, match="utt2spk: it lacks 's00-1' of the trials"):
        verification_metrics(
            files / "trials", [files / "a"], num_replicates=5, utt2spk=files / "utt2spk"
        )
