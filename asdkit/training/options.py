"""The options of programs that train networks; defaults are those of what they set."""

from __future__ import annotations

import argparse

from asdkit.base.device import choose_device
from asdkit.base.options import add_choice, add_options
from asdkit.features.registry import HELPS
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.corpus import FRONT_ENDS, CorpusReader
from asdkit.training.loop import Training
from asdkit.training.objectives import OBJECTIVES

# The first is the default.
NETWORKS = {"resnet34": MODELS["resnet34"], **MODELS}
CRITERIA = {"aam_softmax": LOSSES["aam_softmax"], **LOSSES}


def add_all_options(parser: argparse.ArgumentParser) -> None:
    """Declare everything but data and output."""
    add_model_options(parser)
    add_data_options(parser)
    add_training_options(parser)


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Declare which network is trained with which loss."""
    add_choice(
        parser,
        "network",
        NETWORKS,
        "the network",
        channels="width, of the first stage where stages differ",
        pooling="how frames become one vector: tap, stats, sap or asp",
        embedding_dim="dimension of embeddings",
    )
    add_choice(
        parser,
        "loss",
        CRITERIA,
        "the loss",
        scale="what cosines are multiplied by",
        margin="by which the true class has to win, in the end",
        num_subcenters="centers of every class",
    )
    add_choice(
        parser,
        "objective",
        OBJECTIVES,
        "what is minimized",
        margin_start="share of the training without margin",
        margin_stop="share of the training after which the margin is whole",
    )


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Declare how batches are made."""
    add_choice(
        parser, "features", FRONT_ENDS, "stored, or computed from audio", **HELPS
    )
    add_options(
        parser,
        CorpusReader,
        voiced="leave out frames that vad.scp rejects; stored features only",
        subtract_mean="subtract the mean of every chunk",
        chunk_frames="frames of a chunk",
        batch_size="chunks in a batch, of all ranks together",
        chunks_per_utt="chunks that an epoch has of every utterance",
        utts_per_speaker="chunks of a speaker in a batch, for metric losses; 0: any",
        spec_augment_prob="share of chunks with bands and stretches masked",
        augment_prob="share of chunks with noise or a room; from audio only",
        noises="noise, e.g. of MUSAN: data directory or folder; None: drawn",
        rooms="impulse responses: data directory or folder; None: drawn",
        perturb_speed="play chunks at 0.9 and 1.1 times the speed; from audio only",
        speed_classes="count a speaker at another speed as another speaker",
        num_workers="processes that make batches ahead",
        num_valid_spks="speakers to hold out for validation; 0: no validation",
        utts_per_valid_spk="utterances of each of these, at most",
        seed="of initial weights, batches and dropout",
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Declare how the loop runs."""
    add_options(
        parser,
        Training,
        num_epochs="how often the data are seen; schedules stretch over them all",
        optimizer="with Nesterov's momentum, or with decoupled weight decay",
        momentum="of sgd",
        weight_decay="of all parameters",
        learning_rate="where the decay begins; adamw wants about 0.001",
        final_rate="where exponential and cosine decay end",
        warmup="share of the training in which the rate rises",
        schedule="how the rate falls; step: to a tenth at 1/2 and at 3/4",
        max_grad_norm="longer gradients are shortened to this; inf: never",
        accumulate="parts that a batch goes through the network in, to save memory",
        precision="of the network; auto: bf16 on a GPU, float32 on a CPU",
        channels_last="memory layout that convolutions like; None: on a GPU",
        sync_batchnorm="normalize over all ranks; GPUs only",
        averaging="final weights: the last, a moving average, or of the last epochs",
        ema_decay="of the moving average",
        averaged_epochs="how many of the last epochs",
        checkpoint_minutes="between two checkpoints, besides those after epochs",
    )
    add_options(parser, choose_device, device="where to compute")
