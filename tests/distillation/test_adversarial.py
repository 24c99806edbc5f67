"""Adversaries: what they may change, what they must leave alone, and what it is for."""

import copy
import re

import pytest
import torch
from torch import nn

from asdkit.base.errors import AsdkitError
from asdkit.batches.batches import Batch
from asdkit.distillation.adversarial import (
    Adversarial,
    AdversarialDistillation,
    Adversary,
    SpeakerReversal,
    adversaries,
    attack_batches,
    evaluating,
    reverse,
)
from asdkit.distillation.class_posteriors import KlCosine
from asdkit.distillation.teachers import NetworkTeacher
from asdkit.losses import registry as losses
from asdkit.nnet.extraction import extract
from asdkit.nnet.registry import build

TINY_RAWNET = {"num_filters": 4, "filter_size": 17, "channels": 6, "gru_dim": 5}
KINDS = ["fgsm", "pgd"]


@pytest.fixture(params=["features", "samples"])
def network(request):
    """A network on features that normalizes, and one on samples that recurs."""
    if request.param == "samples":
        return build("rawnet2", **TINY_RAWNET, embedding_dim=8)
    return build("senet9", blocks=(1, 1), channels=4, feat_dim=12, embedding_dim=8)


@pytest.fixture
def loss():
    return losses.build("cross_entropy", 8, 2)


@pytest.fixture
def batch(network, rng):
    """Samples, also at the limits of their range; features of different spread."""
    if network.feat_dim == 1:
        feats = torch.from_numpy(rng.uniform(-1, 1, (4, 3000, 1))).float()
        feats[:, ::3] = 1.0
    else:
        spread = torch.linspace(0.1, 10, 12)
        feats = torch.from_numpy(rng.standard_normal((4, 30, 12))).float() * spread
    lengths = torch.tensor([1.0, 0.9, 1.0, 0.8]) * feats.shape[1]
    labels = torch.tensor([0, 1, 1, 0])
    return Batch(list("abcd"), feats, lengths.long(), labels)


def loss_of(network, loss, batch, feats):
    network.eval()
    return loss(network(feats, batch.num_frames), batch.labels).item()


@pytest.mark.parametrize("kind", KINDS)
def test_an_adversary_raises_the_loss_and_more_so_the_stronger_it_is(
    kind, network, loss, batch
):
    values = [loss_of(network, loss, batch, batch.feats)]
    for epsilon in (0.001, 0.01):
        adversary = Adversary(kind, epsilon, num_steps=20)
        values.append(loss_of(network, loss, batch, adversary(network, loss, batch)))
    assert values[0] < values[1] < values[2]


@pytest.mark.parametrize("kind", KINDS)
def test_no_feature_changes_by_more_than_epsilon(kind, network, loss, batch):
    epsilon = 0.03
    changed = Adversary(kind, epsilon)(network, loss, batch)
    assert not changed.requires_grad
    change = (changed - batch.feats).abs()
    assert change.max() > 0
    for utt, found, length in zip(batch.feats, change, batch.num_frames, strict=True):
        real = utt[:length]
        unit = 1.0 if network.feat_dim == 1 else real.std(dim=0, correction=0)
        assert (found[:length] <= epsilon * unit * (1 + 1e-4) + 1e-6).all()
        if network.feat_dim > 1:  # and all are changed, each in its own unit
            assert ((found[:length] / unit).amax(dim=0) > 0.8 * epsilon).all()
    if network.feat_dim == 1:
        assert changed.abs().max() <= 1


def test_one_step_is_epsilon_in_the_direction_of_the_slope(loss, rng):
    network = build("senet9", blocks=(1, 1), channels=4, feat_dim=12, embedding_dim=8)
    feats = torch.from_numpy(rng.standard_normal((3, 20, 12))).float()
    batch = Batch(list("abc"), feats, torch.full((3,), 20), torch.tensor([0, 1, 1]))
    changed = Adversary("fgsm", 0.01)(network, loss, batch)
    x = feats.clone().requires_grad_()
    loss(network.eval()(x), batch.labels).backward()
    unit = feats.std(dim=1, correction=0, keepdim=True)
    torch.testing.assert_close(changed, feats + 0.01 * unit * x.grad.sign())


def test_several_steps_are_those_of_madry_written_out(loss, rng):
    """From a random start, each a step along the sign, then back into the ball."""
    network = build("senet9", blocks=(1, 1), channels=4, feat_dim=12, embedding_dim=8)
    feats = torch.from_numpy(rng.standard_normal((3, 20, 12))).float()
    batch = Batch(list("abc"), feats, torch.full((3,), 20), torch.tensor([0, 1, 1]))
    adversary = Adversary("pgd", 0.02, num_steps=3, step_share=0.5)
    changed = adversary(network, loss, batch, torch.Generator().manual_seed(4))
    ball = 0.02 * feats.std(dim=1, correction=0, keepdim=True)
    generator = torch.Generator().manual_seed(4)
    x = feats + ball * (2 * torch.rand(feats.shape, generator=generator) - 1)
    for _ in range(3):
        x = x.detach().requires_grad_()
        loss(network.eval()(x), batch.labels).backward()
        x = x.detach() + 0.5 * ball * x.grad.sign()
        x = feats + torch.clamp((x - feats) / ball, -1, 1) * ball
    torch.testing.assert_close(changed, x)


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_is_left_as_it_was(kind, network, loss, batch):
    network.train()
    network.eval() if kind == "pgd" else None
    modes = [module.training for module in network.modules()]
    state = {name: x.clone() for name, x in network.state_dict().items()}
    feats = batch.feats.clone()
    Adversary(kind)(network, loss, batch)
    assert [module.training for module in network.modules()] == modes
    assert all(p.grad is None for p in (*network.parameters(), *loss.parameters()))
    assert torch.equal(batch.feats, feats)
    for name, x in network.state_dict().items():
        assert torch.equal(x, state[name])


def test_recurrent_layers_alone_stay_in_training_mode():
    """As cuDNN wants it; in both modes they compute the same."""
    network = build("rawnet2", **TINY_RAWNET)
    with evaluating(network):
        assert {type(m) for m in network.modules() if m.training} == {nn.GRU}
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize("separate_norm", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_loss_is_shared_by_both_versions(
    separate_norm, share, network, loss, batch, monkeypatch
):
    objective = Adversarial(loss, adversarial_share=share, separate_norm=separate_norm)
    changed = 0.9 * batch.feats
    monkeypatch.setattr(Adversary, "__call__", lambda *args: changed)
    torch.manual_seed(3)
    terms = objective(network.train(), batch)
    torch.manual_seed(3)
    if separate_norm:
        embeddings = [network(x, batch.num_frames) for x in (batch.feats, changed)]
    else:
        both = torch.cat([batch.feats, changed])
        embeddings = network(both, batch.num_frames.repeat(2)).chunk(2)
    clean, adversarial = (loss(x, batch.labels) for x in embeddings)
    expected = {"loss": (1 - share) * clean, "adversarial_loss": share * adversarial}
    torch.testing.assert_close(terms, expected)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_teacher_of_both_versions_hears_what_was_said(
    share, network, loss, batch, monkeypatch
):
    options = {"loss": {"name": "cross_entropy"}, "classes": ["spoof", "bonafide"]}
    classifier = losses.build("cross_entropy", 8, 2)
    teacher = NetworkTeacher(
        copy.deepcopy(network), classifier, options, ["spoof", "bonafide"]
    )
    heard = []
    teacher._network.register_forward_hook(lambda _, x, y: heard.append(x[0]))
    objective = AdversarialDistillation(
        loss=loss, network=network, teacher=teacher, adversarial_share=share
    )
    changed = 0.9 * batch.feats
    monkeypatch.setattr(Adversary, "__call__", lambda *args: changed)
    terms = objective(network.eval(), batch)
    assert len(heard) == 1
    assert heard[0] is batch.feats
    plain = KlCosine(loss, network, teacher)
    plain.project = objective.project
    for weight, feats, prefix in (
        (1 - share, batch.feats, ""),
        (share, changed, "adversarial_"),
    ):
        expected = plain.terms(network(feats, batch.num_frames), batch)
        assert expected.keys() == {"loss", "kl", "cosine"}
        for name, term in expected.items():
            torch.testing.assert_close(terms[prefix + name], weight * term)
    assert len(terms) == 6


def test_adversaries_are_named_after_kind_and_strength():
    made = adversaries("fgsm,pgd", "0.020,1e-3", adversary_steps=7)
    assert list(made) == ["none", "fgsm_0.02", "fgsm_0.001", "pgd_0.02", "pgd_0.001"]
    assert made["none"] is None
    assert made["pgd_0.001"] == Adversary("pgd", 0.001, 7)
    assert adversaries("fgsm") == {"none": None, "fgsm": Adversary("fgsm")}


@pytest.mark.parametrize(
    ("kinds", "epsilons", "said"),
    [
        ("fgsm,cw", None, "--adversaries: expected some of fgsm, pgd; got 'cw'"),
        ("fgsm", "0.1,0", "--epsilons: expected numbers above 0, got '0'"),
        ("fgsm", "nan", "--epsilons: expected numbers above 0, got 'nan'"),
        ("fgsm", "0.1,,", "--epsilons: expected numbers above 0, got ''"),
    ],
)
def test_what_is_no_adversary_is_one_line(kinds, epsilons, said):
    with pytest.raises(AsdkitError, match=re.escape(said)):
        adversaries(kinds, epsilons)


def test_training_on_an_adversary_makes_it_weaker(rng):
    """A clear but fragile cue beside a faint one that the adversary drowns."""
    labels = torch.arange(32) % 2
    signs = 2.0 * labels[:, None, None] - 1
    feats = torch.from_numpy(rng.standard_normal((32, 20, 12))).float()
    feats[..., :4] += 0.5 * signs
    batch = Batch([str(n) for n in range(32)], feats, torch.full((32,), 20), labels)
    adversary = Adversary("pgd", 0.3, num_steps=5)
    reached = {}
    for share in (0.0, 0.7):
        torch.manual_seed(0)
        options = {"blocks": (1, 1), "channels": 4, "feat_dim": 12, "embedding_dim": 8}
        network = build("senet9", **options)
        loss = losses.build("cross_entropy", 8, 2)
        objective = Adversarial(
            loss, epsilon=0.3, adversarial_share=share, adversary="fgsm"
        )
        parameters = [*network.parameters(), *objective.parameters()]
        optimizer = torch.optim.Adam(parameters, 0.01)
        for _ in range(30):
            optimizer.zero_grad()
            sum(objective(network.train(), batch).values()).backward()
            optimizer.step()
        changed = adversary(network, loss, batch)
        reached[share] = loss_of(network, loss, batch, changed)
    assert reached[0.7] < 0.7 * reached[0.0]


def test_reversal_flips_and_scales_the_gradient():
    x = torch.randn(3, 4, requires_grad=True)
    y = reverse(x, 0.25)
    assert torch.equal(y, x)
    y.square().sum().backward()
    torch.testing.assert_close(x.grad, -0.25 * 2 * x.detach())


def test_the_classifier_of_speakers_learns_and_the_network_unlearns(
    network, loss, batch
):
    speakers = {"a": "x", "b": "y", "c": "x", "d": "z", "unused": "w"}
    objective = SpeakerReversal(loss, network, speakers, reversal_weight=0.5)
    values = objective.schedule(50, 100)
    assert values["reversal"] == pytest.approx(0.5 * 0.98661, rel=1e-4)
    embeddings = torch.randn(4, 8, requires_grad=True)
    terms = objective.terms(embeddings, batch)
    torch.testing.assert_close(terms["loss"], loss(embeddings, batch.labels))
    logits = objective.classifier(embeddings)
    assert logits.shape == (4, 4)
    plain = nn.functional.cross_entropy(logits, torch.tensor([1, 2, 1, 3]))
    torch.testing.assert_close(terms["speaker"], plain)
    (flipped,) = torch.autograd.grad(terms["speaker"], embeddings, retain_graph=True)
    (slope,) = torch.autograd.grad(plain, embeddings)
    torch.testing.assert_close(flipped, -values["reversal"] * slope)
    terms["speaker"].backward()
    assert all(p.grad.abs().sum() > 0 for p in objective.classifier.parameters())


def test_reversal_begins_with_nothing(network, loss):
    objective = SpeakerReversal(loss, network, {"a": "x"})
    assert objective.schedule(0, 100)["reversal"] == 0


def test_attacked_batches_depend_on_their_utterances_alone(network, loss, batch):
    label_of = dict(zip(batch.utts, batch.labels.tolist(), strict=True))
    adversary = Adversary("pgd", 0.01, num_steps=2)
    unlabeled = batch._replace(labels=torch.full((4,), -1))
    other = unlabeled._replace(utts=list("dcba"))
    first, again = (
        list(attack_batches(network, loss, batches, label_of, adversary))[-1]
        for batches in ([unlabeled], [other, unlabeled])
    )
    assert torch.equal(first.feats, again.feats)
    assert first.utts == batch.utts
    assert torch.equal(first.labels, batch.labels)
    assert not torch.equal(first.feats, batch.feats)


def test_scores_move_towards_the_wrong_class(network, loss, batch):
    label_of = dict(zip(batch.utts, batch.labels.tolist(), strict=True))
    attacked = attack_batches(network, loss, [batch], label_of, Adversary("fgsm", 0.01))
    pairs = [
        scores
        for batches in ([batch], attacked)
        for _, scores in extract(network, batches, head=loss.scores)
    ]
    change = torch.from_numpy(pairs[1] - pairs[0])
    assert (change[batch.labels == 1] < 0).all()
    assert (change[batch.labels == 0] > 0).all()
