import argparse

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.base.options import chosen_of
from asdkit.base.registry import Chosen
from asdkit.base.signatures import defaults_of
from asdkit.features.registry import FRONT_ENDS
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES
from asdkit.training.option_names import (
    TEACHER,
    TRAINING,
    TRAINING_SET,
    add_all_options,
    add_spoof_options,
    class_weights,
)

# Written into recipes and scripts by users: these names stay.
NAMES = """
network channels stem stem-stride pooled-channels pooling normalized embedding-dim
ssl-trained ssl-checkpoint init-from plugins
loss scale margin num-subcenters bonafide-margin spoof-margin
objective margin-start margin-stop projection distill-weight distill-warmup slack
distance-weight angle-weight temperature margin-in-logits gamma kl-share cosine-weight
hard-share feature-weight hard-on adapter adversary epsilon adversary-steps
adversarial-share separate-norm reversal-weight hidden-dim
teacher teacher-transform teacher-precision missing-teacher teacher-cache
teacher-cache-gb
features sample-frequency frame-length frame-shift sample-scale dither
preemphasis-coefficient
remove-dc-offset window-type round-to-power-of-two blackman-coeff snip-edges
num-mel-bins low-freq high-freq use-energy energy-floor raw-energy htk-compat num-ceps
cepstral-lifter use-log-fbank use-power fft-size num-filters first-bin num-bins padding
bins-per-octave bandwidth-offset octave-samples voiced subtract-mean delta-order
chunk-frames batch-size chunks-per-utt num-workers seed
spec-augment-prob augment-prob noises rooms codec-prob rawboost perturb-speed
num-epochs optimizer momentum beta2 adam-epsilon amsgrad weight-decay learning-rate
final-rate warmup schedule max-grad-norm accumulate precision channels-last
sync-batchnorm averaging ema-decay averaged-epochs checkpoint-minutes device
"""
OF_SPEAKERS = {
    *("utts-per-speaker", "speed-classes"),
    *("num-valid-spks", "utts-per-valid-spk"),
}
OF_SPOOFS = {"class-weights", "sampling", "crop"}


def new_parser(add):
    parser = argparse.ArgumentParser(exit_on_error=False)
    add(parser)
    return parser


def flags_of(parser):
    return {flag[2:] for flag in parser._option_string_actions if flag[:2] == "--"}


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
    speakers, spoofs = new_parser(add_all_options), new_parser(add_spoof_options)
    ours, theirs = flags_of(spoofs), flags_of(speakers)
    assert ours - theirs == OF_SPOOFS
    assert theirs - ours == OF_SPEAKERS
    defaults = spoofs.parse_args([])
    assert (defaults.network, defaults.loss) == ("senet9", "cross_entropy")
    assert not defaults.subtract_mean


def test_options_keep_their_names():
    speakers, spoofs = new_parser(add_all_options), new_parser(add_spoof_options)
    assert {*NAMES.split(), *OF_SPEAKERS} <= flags_of(speakers)
    assert {*NAMES.split(), *OF_SPOOFS} <= flags_of(spoofs)


def test_whatever_a_network_loss_or_objective_can_be_told_is_an_option():
    """Without being named a second time: a new option touches one file."""
    flags = flags_of(new_parser(add_all_options))
    given = {
        "network": {
            *("feat_dim", "ssl", "ssl_options", "ssl_normalize"),
            *("graph", "max_chunk_size", "min_chunk_size", "pad_input"),
        },
        "loss": {"class_weights", "annealing"},
    }
    tables = {"network": MODELS, "loss": LOSSES, "objective": OBJECTIVES}
    for choice, table in {**tables, "features": FRONT_ENDS}.items():
        for one in table.values():
            for name in {*defaults_of(one)} - given.get(choice, set()):
                plain = name.replace("_", "-")
                assert {plain, f"{choice}.{plain}"} & flags
    for owner in (TRAINING_SET, TRAINING, TEACHER):
        for name in defaults_of(owner):
            assert name.replace("_", "-") in flags
    assert not {"feat-dim", "ssl", "class-weights", "annealing"} & flags


def test_a_network_and_an_objective_may_have_an_option_of_the_same_name():
    """The older one keeps the name, also in scripts that are older than the other."""
    parser = new_parser(add_spoof_options)
    args = parser.parse_args(
        [
            *("--network=aasist", "--network.temperature=1.5"),
            *("--objective=kl", "--temperature=3"),
        ]
    )
    network = Chosen("aasist", {"temperature": 1.5})
    assert chosen_of(args, "network", MODELS) == network
    objective = Chosen("kl", {"temperature": 3.0})
    assert chosen_of(args, "objective", OBJECTIVES) == objective
    args = parser.parse_args(["--network=resnet34", "--network.temperature=1.5"])
    said = "--network.temperature: --network resnet34 has no such option"
    with pytest.raises(AsdkitError, match=said):
        chosen_of(args, "network", MODELS)
