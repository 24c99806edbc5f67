"""The program cm-attack, on noises of which some speakers are attacks."""

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances, write_utterances
from asdkit.io.cm_scores import read_cm_scores

DATA = "data/train"


@pytest.fixture
def network(noise_corpus, small_training):
    """Train a network; return which utterances are bona fide."""
    attacks = {f"s{n}": "A01" if n < 4 else "bonafide" for n in range(8)}
    utterances = read_utterances(DATA)
    write_utterances(
        DATA, [u._replace(custom={"attack": attacks[u.spk]}) for u in utterances]
    )
    assert main(["cm-train", *small_training, DATA, DATA, "exp/cm"]) == 0
    return {u.utt: attacks[u.spk] == "bonafide" for u in utterances}


def attack(*options):
    return main(["cm-attack", *options, DATA, "exp/cm", "exp/attacked"])


def test_scores_move_the_wrong_way_and_more_so_the_stronger_the_adversary(network):
    assert attack("--epsilons", "0.01,0.1", "--adversary-steps", "4") == 0
    found = {}
    for name in ("none", "fgsm_0.01", "fgsm_0.1", "pgd_0.01", "pgd_0.1"):
        scores = read_cm_scores(f"exp/attacked/{name}")
        assert set(scores.utt) == network.keys()
        is_bonafide = np.array([network[utt] for utt in scores.utt])
        means = [scores.values[rows].mean() for rows in (is_bonafide, ~is_bonafide)]
        found[name] = means[0] - means[1]
    for kind in ("fgsm", "pgd"):
        assert found["none"] > found[f"{kind}_0.01"] > found[f"{kind}_0.1"]
    assert main(["cm-score", DATA, "exp/cm", "scores"]) == 0
    plain = read_cm_scores("scores")
    none = read_cm_scores("exp/attacked/none")
    assert plain.utt == none.utt
    np.testing.assert_allclose(plain.values, none.values)


def test_what_is_there_is_kept(network, tmp_path):
    assert attack("--adversaries", "fgsm") == 0
    path = tmp_path / "exp" / "attacked" / "fgsm"
    before = path.stat().st_mtime_ns
    assert attack("--adversaries", "fgsm", "--epsilons", "0.3") == 0
    assert path.stat().st_mtime_ns == before
    assert (path.parent / "fgsm_0.3").exists()


def test_bad_input_is_one_line(network, capsys):
    assert attack("--epsilons", "much") == 1
    assert "--epsilons: expected numbers above 0, got 'much'" in capsys.readouterr().err
    assert main(["cm-attack", DATA, "exp", "exp/attacked"]) == 1
    assert "network.pt" in capsys.readouterr().err
