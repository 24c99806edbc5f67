"""Raw networks are read, binary and text, and what is not supported is named."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.kaldi.xvector_networks import read_xvector

NETWORK = Path(__file__).parents[2] / "golden" / "kaldi_xvector" / "final.raw"


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (
            "TimeHeightConvolutionComponent",
            "a TimeHeightConvolutionComponent, which is",
        ),
        ("LstmNonlinearityComponent", "a LstmNonlinearityComponent, which is not supp"),
    ],
)
def test_a_component_that_is_not_supported_is_named(raw, kind, what):
    nodes = ["input-node name=input dim=3", "output-node name=output input=input"]
    with pytest.raises(DataError, match=what) as error:
        read_xvector(raw(nodes, {"cnn1": (kind, "<Dim> 3 ")}))
    assert "component 'cnn1'" in str(error.value)
    assert ":5:" in str(error.value)


def test_an_unknown_field_is_named(raw):
    nodes = ["input-node name=input dim=3", "output-node name=output input=input"]
    fields = "<Dim> 3 <Novelty> 1 "
    with pytest.raises(DataError, match="a NoOpComponent: unknown field '<Novelty>'"):
        read_xvector(raw(nodes, {"a": ("NoOpComponent", fields)}))


def test_a_component_of_damaged_type_is_one_line(tmp_path):
    path = tmp_path / "final.raw"
    kind = b"<RectifiedLinearComponent>"
    path.write_bytes(NETWORK.read_bytes().replace(kind, b"<Rectified\n\0>", 1))
    with pytest.raises(DataError, match=r"'tdnn1\.relu' is a 'Rectified") as error:
        read_xvector(path)
    assert "\n" not in str(error.value)


def test_comments_and_blank_lines_between_nodes_are_passed_over(raw):
    """Only an empty line ends the nodes, see Nnet::Read."""
    nodes = ["# features", "input-node\tname=input dim=3  # MFCC", "  "]
    path = raw([*nodes, "output-node name=output input=input"], {})
    assert read_xvector(path, min_chunk_size=1).network.embedding_dim == 3


def test_what_augments_spectra_in_training_passes_frames_on(raw):
    nodes = ["input-node name=input dim=3"]
    nodes += ["component-node name=a component=a input=input"]
    nodes += ["component-node name=b component=b input=a"]
    fields = "<Dim> 3 <BlockDim> 3 <TimePeriod> 0 <DropoutProportion> 0.1 "
    fields += "<SpecAugmentMaxProportion> 0.5 <SpecAugmentMaxRegions> 3 <TestMode> "
    mask = "<Dim> 3 <ZeroedProportion> 0.2 <TimeMaskMaxFrames> 10 <TestMode> "
    components = {
        "a": ("GeneralDropoutComponent", fields),
        "b": ("SpecAugmentTimeMaskComponent", mask),
    }
    path = raw([*nodes, "output-node name=output input=b"], components)
    network = read_xvector(path, min_chunk_size=1).network
    x = torch.randn(1, 4, 3)
    assert torch.equal(network(x)[0], x[0, 0])


@pytest.mark.parametrize("size", [1000, 30_000, 122_000])
def test_a_file_cut_short_is_one_line(tmp_path, size):
    path = tmp_path / "final.raw"
    path.write_bytes(NETWORK.read_bytes()[:size])
    with pytest.raises(DataError, match=r"final\.raw: byte \d+: expected"):
        read_xvector(path)


def test_an_acoustic_model_is_told_apart(tmp_path):
    path = tmp_path / "final.mdl"
    path.write_bytes(b"\0B<TransitionModel> ")
    with pytest.raises(DataError, match="expected a raw network, <Nnet3>") as error:
        read_xvector(path)
    assert "nnet3-am-copy" in error.value.hint


def binary(*parts):
    """Encode fields as Kaldi does, by their types."""
    data = b"\0B<Nnet3> \ninput-node name=input dim=2\n"
    data += b"component-node name=a component=a input=input\n"
    data += b"component-node name=b component=b input=a\n"
    data += b"output-node name=output input=ReplaceIndex(b, t, 3)\n\n"
    data += b"<NumComponents> " + struct.pack("<bi", 4, 2)
    for part in parts:
        match part:
            case str():
                data += f"{part} ".encode()
            case bool():
                data += b"T" if part else b"F"
            case int():
                data += struct.pack("<bi", 4, part)
            case float():
                data += struct.pack("<bf", 4, part)
            case list():
                data += struct.pack("<bi", 4, len(part)) + struct.pack(
                    f"<{len(part)}i", *part
                )
            case bytes():
                data += part
            case _:
                code = {("<f4", 2): "FM", ("<f8", 2): "DM", ("<f4", 1): "FV"}
                data += f"{code[part.dtype.str, part.ndim]} ".encode()
                data += b"".join(struct.pack("<bi", 4, n) for n in part.shape)
                data += part.tobytes()
    return data + b"</Nnet3> "


def test_every_type_of_binary_field_is_read(tmp_path, rng):
    """Integers, signed ones in vectors, floats, flags, double and compressed arrays."""
    w = rng.normal(size=(3, 4))
    low, span = -1.0, 2.0
    coded = np.array([[0, 65535, 32768], [100, 200, 300]], "<u2")
    packed = struct.pack("<ffii", low, span, 2, 3) + coded.tobytes()
    path = tmp_path / "final.raw"
    path.write_bytes(
        binary(
            *("<ComponentName>", "a", "<TdnnComponent>", "<MaxChange>", 0.75),
            *("<LearningRate>", 0.001, "<TimeOffsets>", [-1, 2], "<LinearParams>", w),
            *("<BiasParams>", np.zeros(0, "<f4"), "<OrthonormalConstraint>", -1.0),
            *("<UseNaturalGradient>", True, "<NumSamplesHistory>", 2000.0),
            *("<AlphaInOut>", 4.0, 4.0, "<RankInOut>", 2, 2, "</TdnnComponent>"),
            *("<ComponentName>", "b", "<LinearComponent>", "<LearningRate>", 0.001),
            *("<Params>", b"CM2 " + packed, "<UseNaturalGradient>", False),
            *("<RankInOut>", 2, 2, "<Alpha>", 4.0, "<NumSamplesHistory>", 2000.0),
            *("<UpdatePeriod>", 4, "</LinearComponent>"),
        )
    )
    network = read_xvector(path, min_chunk_size=1).network
    x = rng.normal(size=(6, 2)).astype(np.float32)
    params = low + span * coded / 65535
    theirs = params @ (w @ np.concatenate([x[2], x[5]]))
    with torch.inference_mode():
        ours = network(torch.from_numpy(x[None]), torch.tensor([6]))[0].numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert network.context == 6


TYPED = {  # fields whose type only the component tells, and what x is multiplied by
    "ClipGradientComponent": (
        *("<Dim>", 2, "<ClippingThreshold>", 30.0, "<NormBasedClipping>", True),
        *("<SelfRepairClippedProportionThreshold>", 1.0, "<SelfRepairTarget>", 0.0),
        *("<SelfRepairScale>", 0.0, "<NumElementsClipped>", 7),
        *("<NumElementsProcessed>", 9, "<NumSelfRepaired>", 0, "<NumBackpropped>", 0),
        1.0,
    ),
    "BackpropTruncationComponent": (
        *("<Dim>", 2, "<Scale>", 0.5, "<ClippingThreshold>", 30.0),
        *("<ZeroingThreshold>", 15.0, "<ZeroingInterval>", 20),
        *("<RecurrenceInterval>", 1, "<NumElementsClipped>", struct.pack("<bd", 8, 7)),
        *("<NumElementsZeroed>", struct.pack("<bd", 8, 7), "<NumElementsProcessed>"),
        *(struct.pack("<bd", 8, 9), "<NumZeroingBoundaries>", 0.0),
        0.5,
    ),
    "GeneralDropoutComponent": (
        *("<Dim>", 2, "<BlockDim>", 1, "<TimePeriod>", 3, "<DropoutProportion>", 0.2),
        *("<SpecAugmentMaxProportion>", 0.1, "<SpecAugmentMaxRegions>", 2),
        *("<TestMode>", "<Continuous>"),
        1.0,
    ),
    "SpecAugmentTimeMaskComponent": (
        *("<Dim>", 2, "<ZeroedProportion>", 0.2, "<TimeMaskMaxFrames>", 10),
        "<TestMode>",
        1.0,
    ),
    "DropoutComponent": (
        *("<Dim>", 2, "<DropoutProportion>", 0.25, "<DropoutPerFrame>", True),
        *("<TestMode>", False),
        0.75,
    ),
    "NoOpComponent": ("<Dim>", 2, "<BackpropScale>", 1.0, 1.0),
}


@pytest.mark.parametrize("kind", TYPED)
def test_a_binary_field_is_read_as_its_component_has_it(tmp_path, rng, kind):
    *fields, factor = TYPED[kind]
    path = tmp_path / "final.raw"
    parts = (f"<{kind}>", *fields, f"</{kind}>")
    path.write_bytes(
        binary("<ComponentName>", "a", *parts, "<ComponentName>", "b", *parts)
    )
    network = read_xvector(path, min_chunk_size=1).network
    x = torch.from_numpy(rng.normal(size=(1, 5, 2)).astype(np.float32))
    torch.testing.assert_close(network(x)[0], x[0, 3] * factor**2)
