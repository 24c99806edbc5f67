"""Networks by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asdkit.base.references import Reference
from asdkit.base.registry import construct

if TYPE_CHECKING:
    from asdkit.nnet.network import Network

MODELS: Mapping[str, Reference] = {
    "resnet18": Reference("asdkit.nnet.resnet:ResNet", blocks=(2, 2, 2, 2)),
    "resnet34": Reference("asdkit.nnet.resnet:ResNet", blocks=(3, 4, 6, 3)),
    "resnet101": Reference(
        "asdkit.nnet.resnet:ResNet", blocks=(3, 4, 23, 3), bottleneck=True
    ),
    "resnet221": Reference(
        "asdkit.nnet.resnet:ResNet", blocks=(6, 16, 48, 3), bottleneck=True
    ),
    "resnet_se34": Reference("asdkit.nnet.se_resnet:ResNetSe"),
    "resnet_se34_fast": Reference("asdkit.nnet.se_resnet:FastResNetSe"),
    "resnet_se34_samples": Reference("asdkit.nnet.log_mel:SampledResNetSe"),
    "resnet_se34_fast_samples": Reference("asdkit.nnet.log_mel:SampledFastResNetSe"),
    "senet9": Reference("asdkit.nnet.senet:SeNet", blocks=(1, 1, 1, 1)),
    "senet18": Reference("asdkit.nnet.senet:SeNet", blocks=(2, 2, 2, 2)),
    "senet34": Reference("asdkit.nnet.senet:SeNet", blocks=(3, 4, 6, 3)),
    "senet50": Reference(
        "asdkit.nnet.senet:SeNet", blocks=(3, 4, 6, 3), bottleneck=True
    ),
    "ecanet9": Reference("asdkit.nnet.senet:SeNet", blocks=(1, 1, 1, 1), gate="eca"),
    "ecanet18": Reference("asdkit.nnet.senet:SeNet", blocks=(2, 2, 2, 2), gate="eca"),
    "ecanet34": Reference("asdkit.nnet.senet:SeNet", blocks=(3, 4, 6, 3), gate="eca"),
    "ecanet50": Reference(
        "asdkit.nnet.senet:SeNet", blocks=(3, 4, 6, 3), bottleneck=True, gate="eca"
    ),
    "xvector": Reference("asdkit.nnet.xvector:XVector"),
    "kaldi_xvector": Reference("asdkit.nnet.nnet3.nnet3_network:Nnet3"),
    "ecapa_tdnn": Reference("asdkit.nnet.ecapa_tdnn:EcapaTdnn", channels=512),
    "ecapa_tdnn_1024": Reference("asdkit.nnet.ecapa_tdnn:EcapaTdnn", channels=1024),
    "campplus": Reference("asdkit.nnet.campplus:CamPlusPlus"),
    "redimnet2_b0": Reference(
        "asdkit.nnet.redimnet2:ReDimNet2",
        channels=12,
        reductions=(36, 36, 36, 36, 18, 18),
        head_channels=64,
    ),
    "redimnet2_b1": Reference(
        "asdkit.nnet.redimnet2:ReDimNet2",
        channels=16,
        reductions=(32, 32, 32, 32, 16, 16),
        head_channels=0,
    ),
    "ssl_ecapa": Reference("asdkit.nnet.ssl:SslEcapa"),
    "dvector": Reference("asdkit.nnet.dvector:DVector"),
    "lcnn": Reference("asdkit.nnet.lcnn:Lcnn", lstm_layers=0, pooling="sap"),
    "lcnn_lstm": Reference("asdkit.nnet.lcnn:Lcnn"),
    "rawnet2": Reference("asdkit.nnet.rawnet2:RawNet2"),
    "aasist": Reference("asdkit.nnet.aasist:Aasist"),
    "aasist_l": Reference(
        "asdkit.nnet.aasist:Aasist",
        last_channels=24,
        graph_dim=24,
        spectral_ratio=0.4,
        temporal_ratio=0.5,
        joint_ratio=0.7,
    ),
}

# Not to be chosen: determined by the data, by the checkpoint of an encoder, or by the
# network of Kaldi's that it goes on from.
GIVEN = (
    *("feat_dim", "ssl", "ssl_options", "ssl_normalize"),
    *("graph", "max_chunk_size", "min_chunk_size", "pad_input"),
)


def build(name: str, **options: Any) -> Network:
    """Construct a network.

    Args:
        name: one of `MODELS`.
        options: options that differ from the defaults.

    Raises:
        ValueError: there is no such network, or it has no such option.
    """
    network: Network = construct(MODELS, name, **options)
    return network
