"""Types of the fields of nnet3 components, by token: in binary, only it tells.

Tokens of every version of Kaldi's nnet3 are here, also those that were dropped.

Source: Kaldi, src/nnet3/nnet-{component-itf,simple-component,normalize-component,
general-component,tdnn-component}.cc.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "integer", "real", "boolean", "array", "integers", "two integers", "two reals", ""
]

_TOKENS: dict[Kind, str] = {
    "integer": """
        Dim InputDim OutputDim BlockDim NumBlocks NumRepeats Rank RankIn RankOut
        UpdatePeriod InputPeriod OutputPeriod LeftContext RightContext
        NumLogCountFeatures TimePeriod ZeroingInterval RecurrenceInterval
        TimeMaskMaxFrames SpecAugmentMaxRegions
        """,
    "real": """
        MaxChange LearningRate LearningRateFactor L2Regularize NumSamplesHistory Alpha
        MaxChangePerSample MaxChangePerMinibatch OrthonormalConstraint
        JointL2RegularizeProportion UpdateCount ActiveScalingCount MaxChangeScaleStats
        Epsilon TargetRms Count OderivCount NumDimsSelfRepaired NumDimsProcessed
        SelfRepairLowerThreshold SelfRepairUpperThreshold SelfRepairScale
        DropoutProportion ZeroedProportion VarianceFloor Scale BackpropScale
        ClippingThreshold ZeroingThreshold SelfRepairClippedProportionThreshold
        SelfRepairTarget NumElementsClipped NumElementsProcessed NumSelfRepaired
        NumBackpropped NumElementsZeroed NumZeroingBoundaries SpecAugmentMaxProportion
        """,
    "boolean": """
        IsGradient UseNaturalGradient IncludeVarinance IncludeVariance OutputStddevs
        AddLogStddev DropoutPerFrame NormBasedClipping IsUpdatable TestMode
        """,
    "array": """
        LinearParams BiasParams Params Bias Scales Offsets Output ValueAvg DerivAvg
        ValueSum DerivSum OderivRms OidfAvg StatsMean StatsVar
        """,
    "integers": "TimeOffsets ColumnMap Sizes",
    "two integers": "RankInOut",
    "two reals": "AlphaInOut",
}
KINDS: dict[str, Kind] = {
    token: kind for kind, tokens in _TOKENS.items() for token in tokens.split()
}

# Where a token stands for itself: it is there, or not.
FLAGS = {
    ("GeneralDropoutComponent", "TestMode"),
    ("GeneralDropoutComponent", "Continuous"),
    ("SpecAugmentTimeMaskComponent", "TestMode"),
}
# Counts that are integers here, and real numbers elsewhere.
INTEGERS = {
    ("ClipGradientComponent", "NumElementsClipped"),
    ("ClipGradientComponent", "NumElementsProcessed"),
    ("ClipGradientComponent", "NumSelfRepaired"),
    ("ClipGradientComponent", "NumBackpropped"),
}


def kind_of(component: str, token: str) -> Kind | None:
    """Return what follows a token of a component; None if it is unknown."""
    if (component, token) in FLAGS:
        return ""
    if (component, token) in INTEGERS:
        return "integer"
    return KINDS.get(token)
