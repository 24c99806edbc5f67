"""The type of a field is told by its token, and sometimes by its component."""

import pytest

from asdkit.kaldi.nnet3.fields import FLAGS, INTEGERS, KINDS, kind_of
from asdkit.nnet.nnet3.nnet3_network import COMPONENTS


@pytest.mark.parametrize(
    ("component", "token", "kind"),
    [
        ("TdnnComponent", "TimeOffsets", "integers"),
        ("TdnnComponent", "RankInOut", "two integers"),
        ("BatchNormComponent", "TestMode", "boolean"),
        ("GeneralDropoutComponent", "TestMode", ""),  # stands for itself
        ("GeneralDropoutComponent", "Continuous", ""),
        ("GeneralDropoutComponent", "SpecAugmentMaxProportion", "real"),
        ("GeneralDropoutComponent", "SpecAugmentMaxRegions", "integer"),
        ("SpecAugmentTimeMaskComponent", "TestMode", ""),
        ("ClipGradientComponent", "NumElementsClipped", "integer"),
        ("BackpropTruncationComponent", "NumElementsClipped", "real"),
        ("NoOpComponent", "Novelty", None),
        ("NoOpComponent", "Continuous", None),
    ],
)
def test_a_token_tells_what_follows(component, token, kind):
    assert kind_of(component, token) == kind


def test_no_token_has_two_types():
    assert sum(map(len, map(str.split, KINDS))) == len(KINDS)
    for component, token in FLAGS | INTEGERS:
        assert component in COMPONENTS
        assert kind_of(component, token) != KINDS.get(token)
