"""Kaldi's files survive becoming our models, byte for byte."""

import pytest

from asdkit.kaldi.parity.experiment import Experiment, NotFoundError
from asdkit.kaldi.parity.model_files import _comes_back, check_files

PLACES = {
    "diag_ubm": ("*.dubm",),
    "full_ubm": ("*.ubm",),
    "extractor": ("*.ie", "*ubm"),
    "backend": ("mean.vec", "transform.mat", "plda", "plda_adapt"),
}


@pytest.mark.parametrize("of", PLACES)
def test_every_golden_model_comes_back(few, agree, of):
    findings = list(check_files(few, of, PLACES[of]))
    assert agree(findings) == [True]
    number = sum(len(list(few.place(of).glob(x))) for x in PLACES[of])
    assert [finding.what for finding in findings] == [f"{number} files"]


@pytest.mark.parametrize("text", [" [ 1 2.00000001 ]\n", "[ 1 2 ]\n"])
def test_a_file_that_does_not_come_back_is_named(copied, text):
    """More digits than Kaldi writes, and another blank than Kaldi's."""
    path = copied / "backend" / "mean.vec"
    path.write_text(text)
    assert not _comes_back(path)
    (finding,) = check_files(Experiment(copied), "backend", PLACES["backend"])
    assert finding.file == "backend/mean.vec"
    assert not finding.limit.allows(finding.difference)
    path.write_text(" [ 1 2 ]\n")
    assert _comes_back(path)


def test_a_place_without_models_is_not_found(tmp_path):
    with pytest.raises(NotFoundError):
        list(check_files(Experiment(tmp_path), "diag_ubm", ("*.dubm",)))
