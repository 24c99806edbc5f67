"""Self-distillation against its formula, and what is left of it in the end."""

import math

import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.batches.batches import Batch
from asdkit.distillation.self_distillation import SelfDistillation, watch_stages
from asdkit.losses import registry as losses
from asdkit.losses.objective import Labels
from asdkit.models.networks import TrainedNetwork, load_network, save_network
from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.nnet.registry import build
from asdkit.training.loop import Training

TINY = {"blocks": (1, 1, 1), "channels": 4, "feat_dim": 12}
PARTS = {"network": {"name": "senet9", **TINY}, "loss": {"name": "a_softmax"}}


@pytest.fixture
def network():
    return build("senet9", **TINY)


@pytest.fixture
def loss(network):
    return losses.build("a_softmax", network.embedding_dim, 2)


@pytest.fixture
def batch(rng):
    feats = torch.from_numpy(rng.standard_normal((6, 24, 12))).float()
    return Batch(list("abcdef"), feats, torch.full((6,), 24), torch.arange(6) % 2)


class OneBatch:
    """The same batch at every step."""

    steps_per_epoch = 3

    def __init__(self, batch):
        self.batch = batch

    def from_step(self, step):
        while True:
            yield step, self.batch
            step += 1


class Killed(Exception):
    """The training was, at some step."""


class StopsAt(OneBatch):
    """The same batch until a step."""

    def __init__(self, batch, last_step):
        super().__init__(batch)
        self.last_step = last_step

    def from_step(self, step):
        for at, batch in super().from_step(step):
            if at > self.last_step:
                raise Killed
            yield at, batch


def stage_maps(network, batch):
    """What the stages give, through the documented way."""
    x = batch.feats.transpose(1, 2)[:, None]
    for layer in network.stem:
        x = layer(x)
    return [found for found, _ in network.stages.maps(x, None)]


def divergence(student, teacher, temperature):
    """T^2 KL(teacher || student), one utterance and one class at a time."""
    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        sums = [sum(math.exp(x / temperature) for x in z) for z in (s, t)]
        for a, b in zip(s, t, strict=True):
            p = math.exp(b / temperature) / sums[1]
            q = math.exp(a / temperature) / sums[0]
            total += p * (math.log(p) - math.log(q))
    return temperature**2 * total / len(student)


@pytest.mark.parametrize("hard_on", ["deepest", "all"])
def test_terms_are_those_of_the_formula(network, loss, batch, hard_on):
    network.eval()
    objective = SelfDistillation(
        loss,
        network,
        hard_share=0.6,
        feature_weight=0.2,
        temperature=2.0,
        hard_on=hard_on,
        adapter="linear",
    )
    objective.schedule(5000, 5001)
    terms = objective(network, batch)
    means = [found.mean(dim=(2, 3)) for found in stage_maps(network, batch)]
    hard, soft, distance = loss(means[-1], batch.labels).item(), 0.0, 0.0
    teacher = loss.logits(means[-1])
    for f, head, adapter in zip(
        means[:-1], objective.heads, objective.adapters, strict=True
    ):
        weights = head.weight / head.weight.norm(dim=1, keepdim=True)
        soft += divergence(f @ weights.T, teacher, 2.0)  # |F| cos, no margin
        errors = adapter.linear(f) - means[-1]
        distance += (errors**2).sum().item() / errors.numel()
        if hard_on == "all":
            hard += head(f, batch.labels).item()
    expected = {"loss": 0.6 * hard, "soft": 0.4 * soft, "features": 0.2 * distance}
    found = {name: term.item() for name, term in terms.items()}
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("adapter", ["conv", "linear"])
def test_no_gradient_reaches_the_teaching_stage_but_from_the_labels(
    network, loss, batch, adapter
):
    objective = SelfDistillation(loss, network, adapter=adapter)
    terms = objective(network, batch)
    (terms["soft"] + terms["features"]).backward()
    deepest = [*network.stages.stages[-1].parameters(), *loss.parameters()]
    assert all(p.grad is None or not p.grad.any() for p in deepest)
    for parameters in (network.stages.stages[0], objective.adapters, objective.heads):
        assert all(p.grad is not None and p.grad.any() for p in parameters.parameters())


@pytest.mark.parametrize("adapter", ["conv", "linear"])
def test_training_changes_adapters_and_heads(network, loss, batch, adapter, tmp_path):
    objective = SelfDistillation(loss, network, adapter=adapter)
    learned = [*objective.adapters.parameters(), *objective.heads.parameters()]
    before = [parameter.detach().clone() for parameter in learned]
    Training(num_epochs=1, learning_rate=0.1, warmup=0.0).fit(
        network, objective, OneBatch(batch), tmp_path, {}
    )
    for parameter, old in zip(learned, before, strict=True):
        assert not torch.equal(parameter, old)


def test_a_resumed_training_takes_up_adapters_and_heads(batch, tmp_path):
    """Their weights and what the optimizer remembers of them; to the bit."""

    def train(directory, last_step=None):
        torch.manual_seed(5)
        network = build("senet9", **TINY)
        loss = losses.build("a_softmax", network.embedding_dim, 2)
        objective = SelfDistillation(loss, network)
        batches = OneBatch(batch)
        if last_step is not None:
            batches = StopsAt(batch, last_step)
        training = Training(num_epochs=2, optimizer="adam", checkpoint_minutes=0)
        training.fit(network, objective, batches, directory, {})
        return objective.state_dict()

    whole = train(tmp_path / "whole")
    with pytest.raises(Killed):
        train(tmp_path / "killed", last_step=4)
    resumed = train(tmp_path / "killed")
    assert {name.partition(".")[0] for name in whole} == {"loss", "heads", "adapters"}
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def test_with_the_labels_alone_the_network_learns_what_it_learns_without(
    batch, tmp_path
):
    """alpha = 1 and beta = 0: nothing else moves it, and both begin at the same."""
    trained = []
    for name in ("plain", "self"):
        torch.manual_seed(5)
        network = build("senet9", **TINY)
        loss = losses.build("a_softmax", network.embedding_dim, 2)
        objective = Labels(loss)
        if name == "self":
            objective = SelfDistillation(
                loss, network, hard_share=1.0, feature_weight=0.0
            )
        Training(num_epochs=2, max_grad_norm=math.inf).fit(
            network, objective, OneBatch(batch), tmp_path / name, {}
        )
        trained.append(network)
    plain, alone = (network.state_dict() for network in trained)
    for name, value in plain.items():
        torch.testing.assert_close(alone[name], value)


def test_what_is_saved_is_the_plain_network(network, loss, batch, tmp_path):
    objective = SelfDistillation(loss, network)
    assert num_parameters(objective) > num_parameters(loss)
    objective(network, batch)  # watches, and stops watching
    options = PARTS | {"classes": ["spoof", "bonafide"]}
    save_network(tmp_path / "network.pt", TrainedNetwork(network, loss, options))
    again = load_network(tmp_path / "network.pt")
    plain = build("senet9", **TINY)
    assert num_parameters(again.network) == num_parameters(plain)
    assert num_parameters(again.loss) == 2 * plain.embedding_dim
    assert num_macs(again.network, 40) == num_macs(plain, 40)
    assert not any(stage._forward_hooks for stage in network.stages.stages)
    found = again.network(batch.feats)
    torch.testing.assert_close(network.eval()(batch.feats), found)


def test_annealing_is_that_of_all_heads(network, loss):
    objective = SelfDistillation(loss, network, hard_on="all")
    values = objective.schedule(9, 100)
    assert values == {"annealing": 750.0}
    assert [head.annealing for head in objective.heads] == [750.0, 750.0]


def test_heads_have_the_options_of_the_loss(network):
    loss = losses.build("am_softmax", 16, 2, scale=7.0, class_weights=(0.1, 0.9))
    for head, dim in zip(SelfDistillation(loss, network).heads, (4, 8), strict=True):
        assert head.scale == 7.0
        assert head.weight.shape == (2, dim)
        assert torch.equal(head.class_weights, loss.class_weights)


def test_padding_is_left_out_of_all_stages(network, loss, batch):
    network.eval()
    objective = SelfDistillation(loss, network).eval()
    lengths = torch.tensor([24, 17, 24, 9, 24, 24])
    feats = batch.feats.clone()
    terms = objective(network, batch._replace(num_frames=lengths, feats=feats))
    for utt, length in zip(feats, lengths, strict=True):
        utt[length:] = 100.0
    again = objective(network, batch._replace(num_frames=lengths, feats=feats))
    torch.testing.assert_close(terms, again)


def test_watching_ends_with_an_error(network):
    with pytest.raises(ValueError, match="expected feats"), watch_stages(network):
        network(torch.zeros(2, 24, 7))
    assert not any(stage._forward_hooks for stage in network.stages.stages)


def test_what_has_no_stages_or_no_logits_cannot_teach_itself(network):
    with pytest.raises(AsdkitError, match="XVector has no stages"):
        SelfDistillation(losses.build("a_softmax", 256, 2), build("xvector"))
    with pytest.raises(AsdkitError, match="logits of classifiers"):
        SelfDistillation(losses.build("ge2e", 16, 2), network)
