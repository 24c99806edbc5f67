"""The files of a bundle, and the options of the program that takes them."""

from asdkit.bin.bundle_make import FILES
from asdkit.inference.bundle_sources import Sources


def test_every_file_has_an_option_and_may_be_left_out():
    options = {name.replace("-", "_") for name in FILES}
    assert options == set(Sources._fields)
    assert not any(Sources())
