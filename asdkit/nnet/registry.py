"""Every network by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from asdkit.base.registry import construct
from asdkit.nnet.aasist import Aasist
from asdkit.nnet.campplus import CamPlusPlus
from asdkit.nnet.ecapa_tdnn import EcapaTdnn
from asdkit.nnet.lcnn import Lcnn
from asdkit.nnet.log_mel import SampledFastResNetSe, SampledResNetSe
from asdkit.nnet.network import Network
from asdkit.nnet.rawnet2 import RawNet2
from asdkit.nnet.resnet import ResNet
from asdkit.nnet.se_resnet import FastResNetSe, ResNetSe
from asdkit.nnet.senet import SeNet
from asdkit.nnet.ssl import SslEcapa
from asdkit.nnet.xvector import XVector

MODELS: dict[str, Callable[..., Network]] = {
    "resnet18": partial(ResNet, blocks=(2, 2, 2, 2)),
    "resnet34": partial(ResNet, blocks=(3, 4, 6, 3)),
    "resnet101": partial(ResNet, blocks=(3, 4, 23, 3), bottleneck=True),
    "resnet221": partial(ResNet, blocks=(6, 16, 48, 3), bottleneck=True),
    "resnet_se34": ResNetSe,
    "resnet_se34_fast": FastResNetSe,
    "resnet_se34_samples": SampledResNetSe,
    "resnet_se34_fast_samples": SampledFastResNetSe,
    "senet9": partial(SeNet, blocks=(1, 1, 1, 1)),
    "senet18": partial(SeNet, blocks=(2, 2, 2, 2)),
    "senet34": partial(SeNet, blocks=(3, 4, 6, 3)),
    "senet50": partial(SeNet, blocks=(3, 4, 6, 3), bottleneck=True),
    "ecanet9": partial(SeNet, blocks=(1, 1, 1, 1), gate="eca"),
    "ecanet18": partial(SeNet, blocks=(2, 2, 2, 2), gate="eca"),
    "ecanet34": partial(SeNet, blocks=(3, 4, 6, 3), gate="eca"),
    "ecanet50": partial(SeNet, blocks=(3, 4, 6, 3), bottleneck=True, gate="eca"),
    "xvector": XVector,
    "ecapa_tdnn": partial(EcapaTdnn, channels=512),
    "ecapa_tdnn_1024": partial(EcapaTdnn, channels=1024),
    "campplus": CamPlusPlus,
    "ssl_ecapa": SslEcapa,
    "lcnn": partial(Lcnn, lstm_layers=0, pooling="sap"),
    "lcnn_lstm": Lcnn,
    "rawnet2": RawNet2,
    "aasist": Aasist,
    "aasist_l": partial(
        Aasist,
        last_channels=24,
        graph_dim=24,
        spectral_ratio=0.4,
        temporal_ratio=0.5,
        joint_ratio=0.7,
    ),
}


def build(name: str, **options: Any) -> Network:
    """Construct a network.

    Args:
        name: which of `MODELS`.
        options: what differs from the defaults.

    Raises:
        ValueError: there is no such network, or it has no such option.
    """
    return construct(MODELS, name, **options)
