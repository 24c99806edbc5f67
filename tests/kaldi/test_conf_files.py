import pytest

from asdkit.base.errors import AsdkitError
from asdkit.features.mel import Mfcc
from asdkit.kaldi.conf_files import read_options


def test_what_a_file_says_and_the_defaults_of_the_rest(tmp_path):
    (tmp_path / "mfcc.conf").write_text("--num-ceps=20  # of 23\n--dither=0\n")
    options = read_options(tmp_path / "mfcc.conf", Mfcc)
    assert (options["num_ceps"], options["dither"]) == (20, 0)
    assert options["num_mel_bins"] == 23


def test_an_option_that_is_not_there_is_named(tmp_path):
    (tmp_path / "mfcc.conf").write_text("--num-cepstra=20\n")
    with pytest.raises((AsdkitError, SystemExit)):
        read_options(tmp_path / "mfcc.conf", Mfcc)
