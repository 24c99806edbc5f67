"""The options of programs that train networks; defaults are those of what they set."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from asdkit.base.device import choose_device
from asdkit.base.numbers import parse_number
from asdkit.base.options import add_choice, add_options
from asdkit.features.registry import HELPS
from asdkit.losses.registry import CLASSIFICATION, LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.corpus import FRONT_ENDS, CorpusReader
from asdkit.training.loop import Training
from asdkit.training.objectives import OBJECTIVES
from asdkit.training.spoofing import SpoofCorpusReader
from asdkit.training.teachers import TeacherReader

# The first is the default.
NETWORKS = {"resnet34": MODELS["resnet34"], **MODELS}
CRITERIA = {"aam_softmax": LOSSES["aam_softmax"], **LOSSES}


# The same for countermeasures.
SPOOF_NETWORKS = {"senet9": MODELS["senet9"], **MODELS}
SPOOF_CRITERIA = {"cross_entropy": LOSSES["cross_entropy"], **CLASSIFICATION}


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Declare everything but data and output, to train on speakers."""
    add_model_options(parser, NETWORKS, CRITERIA)
    add_data_options(parser, CorpusReader)
    add_options(
        parser.add_argument_group("speakers"),
        CorpusReader,
        utts_per_speaker="chunks of a speaker in a batch, for metric losses; 0: any",
        speed_classes="count a speaker at another speed as another speaker",
        num_valid_spks="speakers to hold out for validation; 0: no validation",
        utts_per_valid_spk="utterances of each of these, at most",
    )
    add_training_options(parser)


def add_spoof_options(parser: argparse.ArgumentParser) -> None:
    """Declare everything but data and output, to train on spoofed speech."""
    add_model_options(parser, SPOOF_NETWORKS, SPOOF_CRITERIA)
    add_data_options(parser, SpoofCorpusReader)
    group = parser.add_argument_group("classes")
    group.add_argument(
        "--class-weights",
        type=class_weights,
        metavar="none|balanced|X,X",
        help="how much spoofed and bona fide utterances count in the loss; balanced: "
        "the rarer, the more (default: none)",
    )
    add_options(
        group,
        SpoofCorpusReader,
        sampling="utterances as they come, or as many of both classes in every batch",
        crop="what of an utterance is judged; a crop has --chunk-frames",
    )
    add_training_options(parser)


def add_model_options(
    parser: argparse.ArgumentParser,
    networks: Mapping[str, Callable[..., Any]],
    criteria: Mapping[str, Callable[..., Any]],
) -> None:
    """Declare which network is trained with which loss; the first are the defaults."""
    group = parser.add_argument_group("network")
    add_choice(
        group,
        "network",
        networks,
        "the network",
        channels="width, of the first stage where stages differ",
        stem="before the stages: three convolutions, or a strided one and a maximum",
        stem_stride="of a resnet's first convolution; 2: a quarter of the work",
        pooled_channels="width of the layer that is pooled",
        pooling="how frames become one vector: tap, stats, sap or asp",
        normalized="over time: every feature, or all features of an utterance together",
        embedding_dim="dimension of embeddings",
        ssl_trained="train the self-supervised encoder, too",
    )
    group.add_argument(
        "--ssl-checkpoint",
        metavar="PATH",
        help="self-supervised encoder of ssl_ecapa: folder of transformers', or file "
        "of torchaudio's (default: None)",
    )
    group.add_argument(
        "--init-from",
        metavar="PATH",
        help="network.pt of the same network, whose weights to start from; its loss is "
        "left (default: None)",
    )
    add_choice(
        parser.add_argument_group("loss"),
        "loss",
        criteria,
        "the loss",
        scale="what cosines are multiplied by",
        margin="by which the true class has to win, in the end",
        num_subcenters="centers of every class",
        bonafide_margin="cosine that bona fide speech shall reach",
        spoof_margin="cosine that spoofed speech shall stay below",
    )
    add_choice(
        parser.add_argument_group("objective"),
        "objective",
        OBJECTIVES,
        "what is minimized",
        margin_start="share of the training without margin",
        margin_stop="share of the training after which the margin is whole",
        distill_weight="of the teacher's terms",
        distill_warmup="share of the training in which that weight rises from 0",
        projection="what predicts the teacher's vector from the embedding",
        slack="pull to within so many standard deviations of the teacher's vector",
        distance_weight="of distances between utterances",
        angle_weight="of angles between utterances",
        temperature="what logits are divided by",
        margin_in_logits="the target's logits have the margin when they are compared",
        gamma="weight of what the teacher says of the non-target classes",
        kl_share="weight of the teacher's posteriors; that of the loss is the rest",
        cosine_weight="of the cosine distance from the teacher",
        hard_share="weight of the labels; that of the deepest stage's logits the rest",
        feature_weight="of the distance from the deepest stage's features",
        hard_on="which classifiers of stages the labels are for",
        adapter="what maps a stage's features to the deepest stage's",
        adversary="one step against the network, or several from a random start",
        epsilon="the adversary's largest change; None: 0.002 of samples, else 0.05 "
        "standard deviations",
        adversary_steps="of pgd",
        adversarial_share="weight of what the adversary changed; the rest is heard",
        separate_norm="normalize what is heard and what was changed separately",
        reversal_weight="of the speaker classifier's reversed gradient, in the end",
        hidden_dim="of the speaker classifier",
    )
    add_options(
        parser.add_argument_group("teacher"),
        TeacherReader,
        teacher="rspecifier of vectors, or directory with network.pt",
        teacher_transform="back-end (.npz) whose maps the vectors go through first",
        teacher_precision="rspecifier of precision.ark, which ivector-extract writes",
        missing_teacher="training utterances without a vector: stop, or leave them out",
        teacher_cache="directory where a network's answers are kept for other students",
        teacher_cache_gb="of one network's answers; what is beyond is computed again",
    )


def add_data_options(
    parser: argparse.ArgumentParser, reader: type[CorpusReader]
) -> None:
    """Declare how batches are made, whatever the classes are."""
    group = parser.add_argument_group("features")
    add_choice(group, "features", FRONT_ENDS, "stored, or computed from audio", **HELPS)
    add_options(
        group,
        reader,
        voiced="leave out frames that vad.scp rejects; stored features only",
        subtract_mean="subtract the mean of every chunk",
        delta_order="append derivatives over time up to this order; 0: none",
    )
    add_options(
        parser.add_argument_group("batches"),
        reader,
        chunk_frames="frames of a chunk",
        batch_size="chunks in a batch, of all ranks together",
        chunks_per_utt="chunks that an epoch has of every utterance",
        num_workers="processes that make batches ahead",
        seed="of initial weights, batches and dropout",
    )
    add_options(
        parser.add_argument_group("augmentation"),
        reader,
        spec_augment_prob="share of chunks with bands and stretches masked",
        augment_prob="share of chunks with noise or a room; from audio only",
        noises="noise, e.g. of MUSAN: data directory or folder; None: drawn",
        rooms="impulse responses: data directory or folder; None: drawn",
        codec_prob="share of chunks that go through a codec; from audio only",
        rawboost="RawBoost algorithm, 1 to 8, for all chunks; 0: none; from audio only",
        perturb_speed="play chunks at 0.9 and 1.1 times the speed; from audio only",
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Declare how the loop runs."""
    group = parser.add_argument_group("training")
    add_options(
        group,
        Training,
        num_epochs="how often the data are seen; schedules stretch over them all",
        optimizer="with Nesterov's momentum, with weight decay in the gradient, or "
        "decoupled from it",
        momentum="of sgd",
        beta2="of adam: decay of the mean squared gradient",
        adam_epsilon="of adam: added to its root",
        amsgrad="of adam: divide by the largest mean so far",
        weight_decay="of all parameters",
        learning_rate="where the decay begins; adam wants about 0.001",
        final_rate="where exponential and cosine decay end",
        warmup="share of the training in which the rate rises",
        schedule="how the rate falls; step: to a tenth at 1/2 and at 3/4",
        max_grad_norm="longer gradients are shortened to this; inf: never",
        accumulate="parts that a batch goes through the network in, to save memory",
        precision="of the network; auto: bf16 on a GPU, float32 on a CPU",
        channels_last="memory layout that convolutions like; None: on a GPU",
        sync_batchnorm="normalize over all ranks; GPUs only",
        averaging="final weights: the last, a moving average, the mean of the last "
        "epochs, or those of the epoch with the lowest error of validation",
        ema_decay="of the moving average",
        averaged_epochs="how many of the last epochs",
        checkpoint_minutes="between two checkpoints, besides those after epochs",
    )
    add_options(group, choose_device, device="where to compute")


def class_weights(text: str) -> tuple[float, ...] | Literal["balanced"] | None:
    """Parse ``none``, ``balanced``, or a weight of spoofed and one of bona fide speech.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    if text == "none":
        return None
    if text == "balanced":
        return "balanced"
    try:
        weights = tuple(parse_number(part) for part in text.split(","))
    except ValueError:
        weights = ()
    if len(weights) != 2 or not all(0 < weight < math.inf for weight in weights):
        problem = f"expected none, balanced or e.g. 0.1,0.9, got {text!r}"
        raise argparse.ArgumentTypeError(problem)
    return weights
