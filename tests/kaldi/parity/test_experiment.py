"""What Kaldi's recipes leave behind is found where it lies."""

import dataclasses

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_first_place_that_exists_counts(tmp_path):
    touch(tmp_path / "feats" / "mfcc_dev.ark", tmp_path / "data" / "dev" / "x")
    experiment = Experiment(tmp_path, test="dev")
    assert experiment.place("feats", "test") == tmp_path / "feats/mfcc_dev.ark"
    touch(tmp_path / "data" / "dev" / "feats.scp")
    assert experiment.place("feats", "test") == tmp_path / "data/dev/feats.scp"
    elsewhere = dataclasses.replace(experiment, feats="feats/mfcc_{test}.ark")
    assert elsewhere.place("feats") == tmp_path / "feats/mfcc_dev.ark"
    with pytest.raises(NotFoundError, match=r"data/train/feats\.scp or feats/mfcc_tra"):
        experiment.place("feats")


def test_files_are_in_the_order_of_their_numbers(tmp_path):
    names = ("10.ie", "2.ie", "0.ie", "final.ie", "final.ubm")
    touch(*(tmp_path / "extractor" / name for name in names))
    experiment = Experiment(tmp_path)
    found = [path.name for path in experiment.files("extractor", "*.ie", "*ubm")]
    assert found == ["0.ie", "2.ie", "10.ie", "final.ie", "final.ubm"]
    assert experiment.file("extractor", "2.ie").name == "2.ie"
    for find in (
        lambda: experiment.file("extractor", "3.ie"),
        lambda: experiment.files("extractor", "*.dubm"),
        lambda: experiment.kept("feats/fbank*.ark"),
        lambda: experiment.files("diag_ubm", "*.dubm"),
    ):
        with pytest.raises(NotFoundError):
            find()


def test_names_and_paths_are_relative_to_the_root(tmp_path):
    experiment = Experiment(tmp_path, num_utts=2)
    assert experiment.show(tmp_path / "exp" / "a") == "exp/a"
    assert experiment.rooted("wav/a.wav") == f"{tmp_path}/wav/a.wav"
    assert experiment.rooted("/wav/a.wav") == "/wav/a.wav"
    assert list(experiment.first(iter("abc"))) == ["a", "b"]
    everything = dataclasses.replace(experiment, num_utts=0)
    assert list(everything.first(iter("abc"))) == ["a", "b", "c"]


def test_archives_and_tables_with_relative_paths_hold_the_same(few, tmp_path):
    arrays = dict(few.arrays(few.place("vad", "test")))
    scp = tmp_path / "vad.scp"
    kaldiio.save_ark(str(tmp_path / "vad.ark"), arrays, scp=str(scp))
    scp.write_text(scp.read_text().replace(f"{tmp_path}/", ""))
    found = dict(Experiment(tmp_path).arrays(scp))
    assert found.keys() == arrays.keys()
    assert all((found[utt] == arrays[utt]).all() for utt in arrays)


def test_voiced_frames_are_those_of_the_front_end(few, golden):
    """An archive may have utterances that the other lacks."""
    feats = dict(read_arrays(f"ark:{golden}/feats/mfcc_test.ark"))
    vad = dict(read_arrays(f"ark:{golden}/feats/vad_test.ark"))
    found = dict(few.voiced_frames("test"))
    assert found.keys() == feats.keys() & vad.keys()
    for utt in list(found)[:3]:
        expected = few.frontend(feats[utt], vad[utt] != 0)
        np.testing.assert_array_equal(found[utt], expected)


def test_utterances_without_decisions_or_speech_are_left_out(copied, golden):
    path = copied / "feats" / "vad_test.ark"
    vad = dict(read_arrays(f"ark:{path}"))
    first, second, *_ = sorted(vad)
    vad[second] = np.zeros_like(vad[second])
    kaldiio.save_ark(str(path), {utt: x for utt, x in vad.items() if utt != first})
    found = [utt for utt, _ in Experiment(copied).voiced_frames("test")]
    assert found == sorted(vad)[2:]


def test_decisions_of_other_frames_are_refused(copied):
    path = copied / "feats" / "vad_test.ark"
    vad = dict(read_arrays(f"ark:{path}"))
    kaldiio.save_ark(str(path), {utt: x[1:] for utt, x in vad.items()})
    with pytest.raises(DataError, match=r"frames, \d+ decisions"):
        list(Experiment(copied).voiced_frames("test"))


def test_vectors_are_in_the_order_of_the_archive(few, golden):
    vectors = few.vectors("train")
    expected = dict(read_arrays(f"ark:{golden}/ivectors/train.ark"))
    assert vectors.keys == list(expected)
    np.testing.assert_allclose(vectors.x, np.stack([*expected.values()]))
