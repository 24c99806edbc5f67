"""One place opens a countermeasure, and every user of it makes the same checks."""

import pytest

from asdkit.base.errors import DataError
from asdkit.countermeasures.frame_scores import score_frames
from asdkit.countermeasures.loading import (
    MOST_SAMPLES,
    as_countermeasure,
    load_countermeasure,
)
from asdkit.countermeasures.scoring import score_network
from asdkit.distillation.adversarial import adversaries
from asdkit.models.networks import load_network, save_network


def attack(data_dir, path):
    (adversary,) = [x for x in adversaries("fgsm", "0.1").values() if x is not None]
    return list(score_network(data_dir, path, adversary=adversary))


USERS = {
    "load_countermeasure": lambda data_dir, path: load_countermeasure(path),
    "score_network": lambda data_dir, path: list(score_network(data_dir, path)),
    "score_frames": lambda data_dir, path: score_frames(data_dir, path, "frames"),
    "attack": attack,
}


def spoil(path, change):
    trained = load_network(path)
    change(trained.options)
    save_network("spoiled.pt", trained)
    return "spoiled.pt"


@pytest.mark.parametrize("user", USERS)
def test_every_user_of_a_countermeasure_refuses_what_is_none(small_network, user):
    path = f"{small_network}/network.pt"
    swapped = spoil(path, lambda options: options.update(classes=["bonafide", "spoof"]))
    with pytest.raises(DataError, match="expected a countermeasure, got a network"):
        USERS[user]("data", swapped)
    of_speakers = spoil(path, lambda options: options["data"].pop("crop"))
    with pytest.raises(DataError, match="expected a countermeasure, got a network"):
        USERS[user]("data", of_speakers)


def test_the_file_says_how_the_countermeasure_scores(small_network):
    path = f"{small_network}/network.pt"
    data = load_network(path).options["data"]
    cm = load_countermeasure(path)
    assert (cm.crop, cm.chunk_frames) == (data["crop"], 30)
    assert cm.max_frames == 4 * 30
    assert cm.feature_config.type == "lfcc"
    assert not cm.network.training


def test_a_batch_of_samples_fits_into_the_memory_of_a_computer(small_network):
    """Batches of 24 crops of 4 s, as AASIST is trained with, took 8 GB."""
    trained = load_network(f"{small_network}/network.pt")
    trained.options["data"].update(batch_size=24, chunk_frames=64_600)
    assert as_countermeasure("net", trained).max_frames == 24 * 64_600
    trained.network.feat_dim = 1
    assert as_countermeasure("net", trained).max_frames == MOST_SAMPLES
    assert as_countermeasure("net", trained, "meta").max_frames == 24 * 64_600
