"""The training loop, with batches that come from nowhere."""

import copy
import itertools
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.io import tensors
from asdkit.losses.classification import AamSoftmax, CrossEntropy
from asdkit.losses.metric import Triplet
from asdkit.losses.objective import Labels, Objective
from asdkit.nnet.registry import build
from asdkit.training.loop import Training


def weights_of(network, objective):
    return {**network.state_dict(), **objective.state_dict()}


def assert_bit_equal(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_it_is_the_textbook_s_loop(tmp_path, make_model, make_batches):
    """Three steps, written out: momentum, decay, clipping and all."""
    options = {"learning_rate": 0.2, "weight_decay": 0.01, "max_grad_norm": 0.5}
    training = Training(num_epochs=1, schedule="constant", warmup=0.0, **options)
    network, objective = make_model()
    training.fit(network, objective, make_batches(steps_per_epoch=3), tmp_path, {})

    plain_network, plain = make_model()
    parameters = [*plain_network.parameters(), *plain.parameters()]
    optimizer = torch.optim.SGD(parameters, 0.2, 0.9, weight_decay=0.01, nesterov=True)
    for step, batch in make_batches().from_step(0):
        if step == 3:
            break
        plain.loss.margin = 0.0 if step == 0 else 0.2  # steps at 0, 1/3 and 2/3
        loss = plain.loss(plain_network(batch.feats, batch.num_frames), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()
    for name, value in weights_of(plain_network, plain).items():
        found = weights_of(network, objective)[name]
        torch.testing.assert_close(found, value, rtol=1e-5, atol=1e-6)


def test_the_loss_falls_and_the_history_says_so(tmp_path, make_model, make_batches):
    network, objective = make_model()
    training = Training(num_epochs=8, learning_rate=0.05)
    history = training.fit(
        network, objective, make_batches(), tmp_path, {}, dev_error=lambda network: 0.25
    )
    assert len(history) == 8
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert history[-1]["EER %"] == 25
    assert history[-1]["margin"] == 0.2
    assert [entry["step"] for entry in history] == [5 * n for n in range(1, 9)]


KILLS = ["before a step", "while a file is written", "before an old one goes"]


@pytest.mark.parametrize("averaging", ["none", "ema", "epochs"])
@pytest.mark.parametrize("when", KILLS)
def test_killed_and_started_again_it_ends_with_the_same_bits(
    when, averaging, tmp_path, make_model, make_batches, run_in_child, monkeypatch
):
    """SIGKILL, which nothing can catch; dropout and momentum must be resumed, too."""
    training = Training(
        num_epochs=3, averaging=averaging, averaged_epochs=2, checkpoint_minutes=0
    )
    model = make_model(dropout=0.3, norm=True)
    training.fit(*model, make_batches(), tmp_path / "whole", {"a": 1})

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def die_at_step(step, batch):
        return die() if when == KILLS[0] and step == 7 else batch

    def die_while_writing(content, stream):
        if when == KILLS[1] and content["tensors"]["step"] == 8:
            stream.write(b"PK half of it")
            stream.flush()
            die()
        torch.serialization.save(content, stream)

    def die_before_removing(path, *args, **kwargs):
        if when == KILLS[2] and path.name == "checkpoint.5.pt":
            die()
        os.unlink(path)

    def train_until_killed():
        monkeypatch.setattr(torch, "save", die_while_writing)
        monkeypatch.setattr(Path, "unlink", die_before_removing)
        fresh = make_model(dropout=0.3, norm=True)
        batches = make_batches(at_step=die_at_step)
        training.fit(*fresh, batches, tmp_path / "killed", {"a": 1})

    assert run_in_child(train_until_killed) == -signal.SIGKILL
    left = {path.name for path in (tmp_path / "killed").glob("checkpoint*")}
    steps = (5, 6, 7) if when == KILLS[2] else (6, 7)
    assert left == {f"checkpoint.{step}.pt" for step in steps}
    again = make_model(dropout=0.3, norm=True)
    history = training.fit(*again, make_batches(), tmp_path / "killed", {"a": 1})
    assert len(history) == 3
    assert_bit_equal(weights_of(*again), weights_of(*model))
    left = {path.name for path in (tmp_path / "killed").glob("*") if path.is_file()}
    assert left == {"checkpoint.14.pt", "checkpoint.15.pt"}  # no other file


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adamw", "learning_rate": 0.01, "averaging": "ema"},
        {"precision": "fp16", "accumulate": 2, "schedule": "step"},
    ],
)
def test_whichever_step_it_is_killed_at_nothing_is_lost(
    step, options, tmp_path, make_model, make_batches, run_in_child
):
    """Checkpoints are those after the epochs of two steps, as in a real training."""
    training = Training(num_epochs=3, **options)
    model = make_model(dropout=0.3, norm=True)
    training.fit(*model, make_batches(steps_per_epoch=2), tmp_path / "whole", {})

    def die(at, batch):
        return os.kill(os.getpid(), signal.SIGKILL) if at == step else batch

    def train_until_killed():
        fresh = make_model(dropout=0.3, norm=True)
        batches = make_batches(steps_per_epoch=2, at_step=die)
        training.fit(*fresh, batches, tmp_path / "killed", {})

    assert run_in_child(train_until_killed) == -signal.SIGKILL
    again = make_model(dropout=0.3, norm=True)
    training.fit(*again, make_batches(steps_per_epoch=2), tmp_path / "killed", {})
    assert_bit_equal(weights_of(*again), weights_of(*model))


def test_a_finished_training_is_not_trained_again(tmp_path, make_model, make_batches):
    model = make_model()
    training = Training(num_epochs=2, averaging="ema")
    training.fit(*model, make_batches(), tmp_path, {})
    again = make_model()

    def refuse(step, batch):
        raise AssertionError("nobody should ask for a batch")

    training.fit(*again, make_batches(at_step=refuse), tmp_path, {})
    assert_bit_equal(weights_of(*again), weights_of(*model))


@pytest.mark.parametrize("accumulate", [3, 8, 99])
def test_parts_of_a_batch_give_its_gradient(
    accumulate, tmp_path, make_model, make_batches
):
    whole, parts = make_model(), make_model()
    Training(num_epochs=2).fit(*whole, make_batches(), tmp_path / "1", {})
    training = Training(num_epochs=2, accumulate=accumulate)
    training.fit(*parts, make_batches(), tmp_path / "2", {})
    for name, value in weights_of(*whole).items():
        torch.testing.assert_close(
            weights_of(*parts)[name], value, rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(("batch_size", "accumulate"), [(1, 1), (4, 4), (5, 4)])
def test_one_chunk_at_a_time_is_too_few_for_batch_normalization(
    batch_size, accumulate, tmp_path, make_batches
):
    """--batch-size 1 was a traceback of torch's."""
    network = build("xvector", channels=4, feat_dim=6, embedding_dim=5)
    training = Training(num_epochs=1, accumulate=accumulate)
    batches = make_batches(batch_size=batch_size)
    with pytest.raises(
        AsdkitError, match="needs at least 2 chunks at a time"
    ) as caught:
        training.fit(network, Labels(AamSoftmax(5, 4)), batches, tmp_path, {})
    assert "--batch-size" in caught.value.hint


@pytest.mark.parametrize("accumulate", [1, 2])
def test_two_ranks_train_what_one_does(
    accumulate, tmp_path, make_model, make_batches, run_as_ranks
):
    training = Training(num_epochs=2, accumulate=accumulate, averaging="ema")
    model = make_model()
    history = training.fit(*model, make_batches(), tmp_path / "1", {})

    def train(rank):
        mine = make_model()
        found = training.fit(
            *mine, make_batches(rank=rank, ranks=2), tmp_path / "2", {}
        )
        assert found[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=1e-4)
        torch.save(weights_of(*mine), tmp_path / f"rank{rank}.pt")

    assert run_as_ranks(train, 2) == [0, 0]
    ranks = [torch.load(tmp_path / f"rank{r}.pt", weights_only=True) for r in (0, 1)]
    assert_bit_equal(*ranks)
    for name, value in weights_of(*model).items():
        torch.testing.assert_close(ranks[0][name], value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_the_same(precision, tmp_path, make_model, make_batches):
    network, objective = make_model()
    dtypes = set()
    network.hidden.register_forward_hook(lambda *args: dtypes.add(args[2].dtype))
    history = Training(num_epochs=8, learning_rate=0.05, precision=precision).fit(
        network, objective, make_batches(), tmp_path, {}
    )
    assert dtypes == {torch.bfloat16 if precision == "bf16" else torch.float16}
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert network.hidden.weight.dtype == torch.float32


def test_adamw_is_adamw(tmp_path, make_model, make_batches):
    network, objective = make_model()
    training = Training(num_epochs=8, optimizer="adamw", learning_rate=0.02)
    history = training.fit(network, objective, make_batches(), tmp_path, {})
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]


def test_adam_has_the_constants_that_it_was_given(tmp_path, make_model, make_batches):
    network, objective = make_model()
    training = Training(
        num_epochs=2,
        optimizer="adam",
        beta2=0.98,
        adam_epsilon=1e-9,
        amsgrad=True,
        weight_decay=0.1,
        learning_rate=0.02,
        schedule="constant",
        warmup=0.0,
        max_grad_norm=math.inf,
    )
    training.fit(network, objective, make_batches(), tmp_path, {})
    again, loss = make_model()
    reference = torch.optim.Adam(
        [*again.parameters(), *loss.parameters()],
        lr=0.02,
        betas=(0.9, 0.98),
        eps=1e-9,
        weight_decay=0.1,
        amsgrad=True,
    )
    for step, batch in itertools.islice(make_batches().from_step(0), 10):
        loss.schedule(step, 10)
        reference.zero_grad()
        loss(again, batch)["loss"].backward()
        reference.step()
    for found, expected in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_checkpoint_says_what_its_optimizer_is_made_of_and_no_more(optimizer):
    options = Training(optimizer=optimizer, beta2=0.9).options
    assert ("beta2" in options) == (optimizer != "sgd")
    defaults = Training(optimizer=optimizer).options  # as old checkpoints have them
    assert ("beta2" in defaults) == (optimizer == "adam")
    assert "checkpoint_minutes" not in options


@pytest.mark.parametrize("rate", [None, 0.5])
def test_the_loss_may_have_an_optimizer_of_its_own(
    tmp_path, make_model, make_batches, rate
):
    """As OC-softmax has: two optimizers, one step of each per batch."""
    options = {"learning_rate": 0.02, "weight_decay": 0.1, "optimizer": "adam"}
    own = {"loss_optimizer": "sgd", "loss_learning_rate": rate}
    training = Training(
        num_epochs=1, schedule="constant", warmup=0.0, max_grad_norm=math.inf, **options
    )
    network, objective = make_model()
    replace(training, **own).fit(network, objective, make_batches(), tmp_path, {})
    again, loss = make_model()
    of_network = torch.optim.Adam(again.parameters(), lr=0.02, weight_decay=0.1)
    of_loss = torch.optim.SGD(loss.parameters(), lr=rate or 0.02)
    for step, batch in itertools.islice(make_batches().from_step(0), 5):
        loss.schedule(step, 5)
        of_network.zero_grad()
        of_loss.zero_grad()
        loss(again, batch)["loss"].backward()
        of_network.step()
        of_loss.step()
    expected = weights_of(again, loss)
    for name, value in weights_of(network, objective).items():
        torch.testing.assert_close(value, expected[name])


def test_a_training_with_two_optimizers_resumes_to_the_bit(
    tmp_path, make_model, make_batches
):
    training = Training(num_epochs=2, optimizer="adam", loss_optimizer="sgd")
    network, objective = make_model()
    training.fit(network, objective, make_batches(), tmp_path / "whole", {})
    again, loss = make_model()

    def stop(step, batch):
        if step == 7:
            raise KeyboardInterrupt
        return batch

    with pytest.raises(KeyboardInterrupt):
        training.fit(again, loss, make_batches(at_step=stop), tmp_path / "killed", {})
    again, loss = make_model()
    training.fit(again, loss, make_batches(), tmp_path / "killed", {})
    assert_bit_equal(weights_of(again, loss), weights_of(network, objective))


def test_checkpoints_from_before_there_were_two_optimizers_are_resumed():
    assert not {x for x in Training().options if x.startswith("loss_")}
    assert Training(loss_optimizer="sgd").options["loss_learning_rate"] is None


def test_an_optimizer_of_nothing_is_refused(tmp_path, make_model, make_batches):
    network, _ = make_model()
    training = Training(loss_optimizer="sgd")
    objective = Labels(Triplet())
    with pytest.raises(AsdkitError, match="sgd: this loss has no parameters"):
        training.fit(network, objective, make_batches(), tmp_path, {})


class TwoTerms(Objective):
    def __init__(self, is_one=False):
        super().__init__()
        torch.manual_seed(0)
        self.loss = CrossEntropy(5, 4)
        self.is_one = is_one

    def schedule(self, step, num_steps):
        self.weight = step / num_steps
        return {"weight": self.weight}

    def terms(self, embeddings, batch):
        terms = {
            "speakers": self.loss(embeddings, batch.labels),
            "length": self.weight * embeddings.square().mean(),
        }
        return {"all": sum(terms.values())} if self.is_one else terms


def test_terms_are_summed_up_and_told_apart(tmp_path, make_model, make_batches):
    networks, histories = [], []
    for is_one in (False, True):
        network, _ = make_model()
        directory = tmp_path / str(is_one)
        networks.append(network)
        training = Training(num_epochs=2)
        histories.append(
            training.fit(network, TwoTerms(is_one), make_batches(), directory, {})
        )
    for name, value in networks[0].state_dict().items():
        torch.testing.assert_close(networks[1].state_dict()[name], value)
    for two, one in zip(*histories, strict=True):
        assert two["speakers"] + two["length"] == pytest.approx(one["all"], rel=1e-5)
        assert two["length"] > 0
    assert histories[0][0]["weight"] == 0.4


def test_other_options_are_refused_with_both_values(tmp_path, make_model, make_batches):
    options = {"network": {"name": "plain", "channels": 4}, "classes": ["a", "b"]}
    Training(num_epochs=1).fit(*make_model(), make_batches(), tmp_path, options)
    training = Training(num_epochs=1, learning_rate=0.3, checkpoint_minutes=3)
    changed = {"network": {"name": "plain", "channels": 8}, "classes": ["a", "b"]}
    with pytest.raises(AsdkitError) as caught:
        training.fit(*make_model(), make_batches(), tmp_path, changed)
    assert "network.channels = 4, now 8" in str(caught.value)
    assert "training.learning_rate = 0.1, now 0.3" in str(caught.value)
    assert "checkpoint_minutes" not in str(caught.value)


def test_a_label_that_the_classifier_lacks_is_named(tmp_path, make_model, make_batches):
    training = Training(num_epochs=1)
    training.fit(*make_model(), make_batches(), tmp_path, {"classes": ["anne", "bob"]})
    with pytest.raises(AsdkitError, match="2 classes, and label 'carl' is not among"):
        training.fit(
            *make_model(),
            make_batches(),
            tmp_path,
            {"classes": ["anne", "bob", "carl"]},
        )
    with pytest.raises(AsdkitError, match="the data none of 'bob'"):
        training.fit(*make_model(), make_batches(), tmp_path, {"classes": ["anne"]})


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_loss_that_is_no_number_stops_all_and_leaves_the_batch(
    ranks, tmp_path, make_model, make_batches, run_as_ranks
):
    def poison(step, batch):
        if step == 7:
            batch.feats[1, 3, 2] = float("nan")
        return batch

    def train(rank):
        batches = make_batches(rank=rank, ranks=ranks, at_step=poison)
        training = Training(num_epochs=2, checkpoint_minutes=0)
        with pytest.raises(AsdkitError, match=r"step 7: .* = nan") as caught:
            training.fit(*make_model(), batches, tmp_path, {})
        utt = "utt7-1" if ranks == 1 else f"utt7-{2 + rank}"
        assert f"features hold NaN or infinity: {utt};" in str(caught.value)
        name = "bad_batch.pt" if ranks == 1 else f"bad_batch.{rank}.pt"
        assert name in str(caught.value)
        options, saved = tensors.load_tensors(tmp_path / name, "Batch")
        assert options["step"] == 7
        assert utt in saved["utts"]
        assert saved["feats"][1, 3].isnan().any()

    assert run_as_ranks(train, ranks) == [0] * ranks
    # Weights from before that step are there, and nothing after it.
    names = {path.name for path in tmp_path.glob("checkpoint.*")}
    assert names == {"checkpoint.6.pt", "checkpoint.7.pt"}


def test_a_loss_that_explodes_names_the_batch(tmp_path, make_model, make_batches):
    class Exploding(Labels):
        def forward(self, embeddings, batch):
            return {"loss": super().forward(embeddings, batch)["loss"] * float("inf")}

    network, _ = make_model()
    objective = Exploding(AamSoftmax(5, 4))
    with pytest.raises(AsdkitError, match=r"loss = inf.*all features.*finite: utt0-0 "):
        Training(num_epochs=1).fit(network, objective, make_batches(), tmp_path, {})


@pytest.mark.parametrize(
    ("errors", "best"),
    [
        ([0.3, 0.1, 0.2], 1),
        ([0.3, 0.1, 0.1], 2),
        ([0.1, math.nan, 0.2], 0),
        ([math.nan, 0.4, math.nan], 1),
        ([math.nan] * 3, 2),  # there is no best
    ],
)
def test_the_best_epoch_s_weights_are_kept(
    errors, best, tmp_path, make_model, make_batches
):
    """Killed after the second epoch and resumed it is the same."""
    training = Training(num_epochs=3, averaging="best")
    after = []
    model = make_model(norm=True)

    def dev_error(network):
        assert network is model[0]
        after.append({k: x.clone() for k, x in weights_of(*model).items()})
        return errors[len(after) - 1]

    training.fit(*model, make_batches(), tmp_path / "1", {}, dev_error)
    assert_bit_equal(weights_of(*model), after[best])

    again, rest = make_model(norm=True), iter(errors)
    killed = FloatingPointError("killed")

    def measure_or_die(network):
        if (error := next(rest)) is killed:
            raise killed
        return error

    rest = iter([*errors[:2], killed, errors[2]])
    with pytest.raises(FloatingPointError):
        training.fit(*again, make_batches(), tmp_path / "2", {}, measure_or_die)
    again = make_model(norm=True)
    training.fit(*again, make_batches(), tmp_path / "2", {}, measure_or_die)
    assert_bit_equal(weights_of(*again), after[best])


def check_running_averages(network, batches):
    """Those of the network are the means over an epoch's batches, with its weights."""
    (norm,) = [x for x in network.modules() if isinstance(x, torch.nn.BatchNorm1d)]
    inputs = []
    watch = norm.register_forward_hook(lambda _, given, __: inputs.append(given[0]))
    network.train()
    norm.momentum = 0.0  # as they are
    for _, batch in itertools.islice(batches.from_step(0), batches.steps_per_epoch):
        network(batch.feats)
    watch.remove()
    axes = [axis for axis in range(inputs[0].dim()) if axis != 1]
    means = torch.stack([x.mean(dim=axes) for x in inputs]).mean(dim=0)
    variances = torch.stack([x.var(dim=axes) for x in inputs]).mean(dim=0)
    torch.testing.assert_close(norm.running_mean, means)
    torch.testing.assert_close(norm.running_var, variances)


def test_the_mean_of_the_epochs_that_were_the_best_is_kept_also_if_killed(
    tmp_path, make_model, make_batches
):
    """Killed after the third of five epochs and resumed it is the same to the bit."""
    errors, best = [0.3, 0.3, 0.4, 0.1, 0.2], (0, 1, 3)
    training = Training(num_epochs=5, averaging="best_mean")
    after, model = [], make_model(norm=True)

    def validate(network):
        assert network is model[0]  # with its own weights, not the mean
        after.append({k: x.clone() for k, x in weights_of(*model).items()})
        return errors[len(after) - 1]

    training.fit(*model, make_batches(), tmp_path / "1", {}, validate)
    kept = weights_of(*model)
    for name, value in kept.items():
        if value.is_floating_point() and "running" not in name:
            mean = torch.stack([after[n][name] for n in best]).mean(dim=0)
            torch.testing.assert_close(value, mean)
            assert not value.numel() or not torch.equal(value, after[-1][name])
    check_running_averages(copy.deepcopy(model[0]), make_batches())

    killed = FloatingPointError("killed")
    rest = iter([*errors[:3], killed, *errors[3:]])

    def validate_or_die(network):
        if (error := next(rest)) is killed:
            raise killed
        return error

    with pytest.raises(FloatingPointError):
        training.fit(
            *make_model(norm=True), make_batches(), tmp_path / "2", {}, validate_or_die
        )
    again = make_model(norm=True)
    training.fit(*again, make_batches(), tmp_path / "2", {}, validate_or_die)
    assert_bit_equal(weights_of(*again), kept)


@pytest.mark.parametrize("averaging", ["best", "best_mean"])
def test_without_a_dev_error_no_epoch_is_the_best(
    averaging, tmp_path, make_model, make_batches
):
    with pytest.raises(AsdkitError, match=f"averaging {averaging}: there is no dev"):
        Training(averaging=averaging).fit(*make_model(), make_batches(), tmp_path, {})


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [("resnet18", None, True), ("resnet18", False, False), ("senet9", None, False)],
)
def test_networks_say_which_memory_format_is_faster(
    tmp_path, make_batches, name, given, expected
):
    network = build(name, feat_dim=6, embedding_dim=5)
    training = Training(num_epochs=1, channels_last=given)
    batches = make_batches(steps_per_epoch=1)
    training.fit(network, Labels(CrossEntropy(5, 4)), batches, tmp_path, {})
    convs = [x for x in network.modules() if isinstance(x, torch.nn.Conv2d)]
    inner = [x.weight for x in convs if x.kernel_size == (3, 3) and x.in_channels > 1]
    assert all(
        x.is_contiguous(memory_format=torch.channels_last) == expected for x in inner
    )


ERRORS = [0.5, 0.3, 0.4, 0.2, 0.3, 0.2, 0.25, 0.1, 0.1]


@pytest.mark.parametrize(("patience", "num_epochs"), [(0, 9), (1, 3), (2, 6), (3, 7)])
def test_patience_ends_a_training_after_epochs_without_a_lower_error(
    patience, num_epochs, tmp_path, make_model, make_batches
):
    training = Training(num_epochs=9, patience=patience, averaging="best")
    errors, model = iter(ERRORS), make_model()
    history = training.fit(
        *model, make_batches(), tmp_path, {}, dev_error=lambda network: next(errors)
    )
    assert [entry["EER %"] / 100 for entry in history] == ERRORS[:num_epochs]
    again = make_model()
    resumed = training.fit(
        *again, make_batches(), tmp_path, {}, dev_error=lambda network: 0.01
    )
    assert resumed == history
    assert_bit_equal(weights_of(*again), weights_of(*model))


def test_patience_has_a_dev_error_to_look_at(tmp_path, make_model, make_batches):
    with pytest.raises(AsdkitError, match="--patience: there is no dev error"):
        Training(patience=1).fit(*make_model(), make_batches(), tmp_path, {})
