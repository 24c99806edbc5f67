import argparse

import pytest

from asdkit.training.options import add_all_options, add_spoof_options, class_weights


def test_class_weights_are_none_balanced_or_two_numbers():
    assert class_weights("none") is None
    assert class_weights("balanced") == "balanced"
    assert class_weights("0.1,0.9") == (0.1, 0.9)
    for text in ("0.5", "1,2,3", "0,1", "nan,1", "inf,1", "a,b", ""):
        with pytest.raises(
            argparse.ArgumentTypeError, match="expected none, balanced or"
        ):
            class_weights(text)


def test_both_kinds_of_training_have_the_same_options_but_for_the_classes():
    speakers, spoofs = argparse.ArgumentParser(), argparse.ArgumentParser()
    add_all_options(speakers)
    add_spoof_options(spoofs)
    ours, theirs = ({*vars(p.parse_args([]))} for p in (spoofs, speakers))
    assert ours - theirs == {"class_weights", "sampling", "crop"}
    assert theirs - ours == {
        "utts_per_speaker",
        "speed_classes",
        "num_valid_spks",
        "utts_per_valid_spk",
    }
    defaults = spoofs.parse_args([])
    assert (defaults.network, defaults.loss) == ("senet9", "cross_entropy")
    assert not defaults.subtract_mean
