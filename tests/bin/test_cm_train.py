"""The program cm-train, on a corpus of noises whose first four speakers are attacks."""

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances, write_utterances
from asdkit.models.networks import load_network


@pytest.fixture
def spoofs(noise_corpus):
    """Speakers s0 to s3 are attacks; the features stay."""
    attacks = {f"s{n}": f"A0{n}" if n < 4 else "bonafide" for n in range(8)}
    utterances = read_utterances("data/train")
    custom = [{"attack": attacks[item.spk]} for item in utterances]
    write_utterances(
        "data/train",
        [u._replace(custom=c) for u, c in zip(utterances, custom, strict=True)],
    )
    return noise_corpus


def run(*options):
    return main(["cm-train", *options, "data/train", "data/train", "exp/cm"])


def test_a_network_knows_classes_weights_and_what_it_judges(spoofs, small_training):
    options = ["--class-weights", "balanced", "--averaging", "best", "--crop", "first"]
    assert run(*small_training, *options) == 0
    trained = load_network("exp/cm/network.pt")
    assert trained.options["classes"] == ["spoof", "bonafide"]
    assert trained.options["loss"]["class_weights"] == [0.5, 0.5]
    np.testing.assert_allclose(trained.loss.class_weights, [0.5, 0.5])
    assert trained.options["data"]["crop"] == "first"
    assert all(0 <= entry["EER %"] <= 100 for entry in trained.options["history"])


def test_of_self_distillation_the_plain_network_is_left(spoofs, capsys):
    """Parameters and multiply-accumulates, of the file that cm-score reads."""
    options = "--network ecanet9 --loss a_softmax --chunk-frames 30 --device cpu"
    small = "--channels 4 --batch-size 8 --num-epochs 1 --learning-rate 0.01"
    shares = "--hard-share 0.5 --feature-weight 0.1 --hard-on all"
    objectives = {"labels": "", "self_distillation": f"{shares} --adapter linear"}
    sizes = []
    for objective, more in objectives.items():
        command = f"{options} {small} --objective {objective} {more} data/train"
        directory = f"exp/{objective}"
        assert main(["cm-train", *command.split(), "data/train", directory]) == 0
        said = capsys.readouterr().err
        assert ("soft = " in said) == ("features = " in said) == (more != "")
        assert main(["nnet-info", directory, "--num-frames", "60"]) == 0
        line = capsys.readouterr().out.splitlines()[1]
        sizes.append(line.split()[1:7])  # up to the MACs; then come measured times
        assert main(["cm-score", "data/train", directory, f"{directory}/scores"]) == 0
    plain, distilled = (load_network(f"exp/{x}/network.pt") for x in objectives)
    assert sizes[0] == sizes[1]
    assert sizes[0][:4] == ["60", "x", "10", "32"]
    for part in ("network", "loss"):
        ours, theirs = (getattr(x, part).state_dict() for x in (plain, distilled))
        assert {n: x.shape for n, x in ours.items()} == {
            n: x.shape for n, x in theirs.items()
        }
    assert distilled.options["objective"]["hard_share"] == 0.5


def test_it_starts_from_a_network_of_speakers(spoofs, small_training, capsys):
    options = ["--loss", "ge2e", "--utts-per-speaker", "2", *small_training]
    assert main(["nnet-train", *options, "data/train", "exp/spk"]) == 0
    start = ["--init-from", "exp/spk/network.pt", *small_training]
    assert run(*start, "--learning-rate", "1e-30", "--final-rate", "1e-30") == 0
    speakers, cm = (load_network(f"exp/{x}/network.pt") for x in ("spk", "cm"))
    assert cm.options["init_from"] == "exp/spk/network.pt"
    for ours, theirs in zip(
        cm.network.parameters(), speakers.network.parameters(), strict=True
    ):
        np.testing.assert_allclose(ours.detach(), theirs.detach(), rtol=1e-6)
    assert run(*start, "--embedding-dim", "9") == 1
    said = "expected the same network, got network.embedding_dim = 8, now 9"
    assert said in capsys.readouterr().err


def test_a_small_network_learns_from_a_large_one_against_an_adversary(
    spoofs, small_training, capsys
):
    options = ["--objective", "adversarial", "--adversary", "pgd", "--epsilon", "0.1"]
    assert run(*small_training, *options, "--adversary-steps", "2") == 0
    assert main(["cm-train", *small_training, "data/train", "data/train", "exp/t"]) == 0
    small = [*small_training, "--teacher", "exp/t", "--objective"]
    distill = ["adversarial_distillation", "--adversary", "fgsm", "--temperature", "2"]
    data = ["data/train", "data/train"]
    assert main(["cm-train", *small, *distill, *data, "exp/small"]) == 0
    terms = load_network("exp/small/network.pt").options["history"][-1].keys()
    assert {"kl", "cosine", "adversarial_kl", "adversarial_cosine"} <= terms
    assert main(["cm-train", *small, "adversarial", *data, "exp/no"]) == 1
    assert "--teacher: --objective adversarial has none" in capsys.readouterr().err


def test_wrong_weights_and_losses_of_speakers_are_wrong_usage(
    spoofs, small_training, capsys
):
    for wrong in (["--class-weights", "1"], ["--loss", "ge2e"]):
        with pytest.raises(SystemExit, match="2"):
            run(*small_training, *wrong)
        assert wrong[0] in capsys.readouterr().err


def test_data_without_attacks_are_one_line(noise_corpus, small_training, capsys):
    assert run(*small_training) == 1
    error = capsys.readouterr().err
    assert "'s0-0': expected an attack or bonafide, got neither" in error
    assert "hint: asdkit spoof-prepare writes it" in error
