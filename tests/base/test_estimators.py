import numpy as np
import pytest

from asdkit.base.estimators import set_arrays, split_state


class Center:
    mean_: np.ndarray

    def __init__(self, floor: float = 0.0) -> None:
        self.floor = floor


class Scale(Center):
    scale_: np.ndarray


def trained():
    model = Scale(0.5)
    model.mean_, model.scale_, model.kaldi_offset_ = np.arange(3)
    return model


def test_what_is_split_comes_together_again():
    options, arrays = split_state(trained())
    assert options == {"floor": 0.5}
    model = Scale(**options)
    set_arrays(model, arrays)
    assert vars(model) == vars(trained())


@pytest.mark.parametrize("missing", ["mean_", "scale_"])
def test_an_array_that_the_class_or_its_base_annotates_must_be_there(missing):
    arrays = {f"0.{name}": 1 for name in split_state(trained())[1]}
    del arrays[f"0.{missing}"]
    with pytest.raises(KeyError, match=f"'0.{missing}'"):
        set_arrays(Scale(), arrays, "0.")


def test_of_several_estimators_in_a_file_each_takes_its_own():
    arrays = {"0.mean_": 1, "1.mean_": 2, "10.mean_": 3, "mean_": 4, "a.1.mean_": 5}
    model = Center()
    set_arrays(model, arrays, "1.")
    assert vars(model) == {"floor": 0.0, "mean_": 2}
    set_arrays(model, arrays)
    assert vars(model) == {"floor": 0.0, "mean_": 4}
