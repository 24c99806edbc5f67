"""Quality measures by name, from Python and from a command line."""

import argparse
import dataclasses

from asdkit.backends.measures import MEASURES, Measures, add_measures
from asdkit.base.options import options_of


def test_the_measures_that_are_given_come_in_their_order():
    assert Measures().given == {}
    given = Measures(cohort_mean="m", duration="d", enroll_spk2utt="s").given
    assert list(given.items()) == [("duration", "d"), ("cohort_mean", "m")]
    whole = Measures("a", "b", "c").given
    assert tuple(whole) == MEASURES


def test_every_measure_is_an_option_that_is_off_by_default():
    parser = argparse.ArgumentParser()
    add_measures(parser)
    assert Measures(**options_of(Measures, parser.parse_args([]))) == Measures()
    names = [field.name.replace("_", "-") for field in dataclasses.fields(Measures)]
    words = [x for name in names for x in (f"--{name}", f"of_{name}")]
    found = Measures(**options_of(Measures, parser.parse_args(words)))
    assert dataclasses.astuple(found) == tuple(f"of_{name}" for name in names)
    assert "quality measures:" in parser.format_help()
