import itertools

import numpy as np
import pytest
import torch

from asdkit.losses.distillation import (
    angle_relations,
    cosine_distance,
    decoupled_kl,
    distance_relations,
    kl_divergence,
    squared_error,
)

# papers.md 4.1, computed with the released code of ENSKD.
STUDENT = torch.tensor([[2, 0.5, -1, 0], [0.1, 1.2, 0.3, -0.4]])
TEACHER = torch.tensor([[3, 1, -2, 0.5], [0, 2.5, 1, -1]])
LABELS = torch.tensor([0, 1])


def draw(rng, shape, scale=1.0):
    return torch.from_numpy(scale * rng.standard_normal(shape))


def test_decoupled_divergences_are_those_of_the_released_code():
    target, others = decoupled_kl(STUDENT, TEACHER, LABELS)
    assert target.item() == pytest.approx(0.0726305, abs=2e-7)
    assert others.item() == pytest.approx(0.0867814, abs=2e-7)
    assert (target + 2 * others).item() == pytest.approx(0.2461935, abs=5e-7)
    target, others = decoupled_kl(STUDENT, TEACHER, LABELS, temperature=4.0)
    assert (target + 2 * others).item() == pytest.approx(0.4673529, abs=5e-7)


def test_the_divergence_is_that_of_the_released_code_and_of_torch(rng):
    kl = kl_divergence(STUDENT, TEACHER)
    assert kl.item() == pytest.approx(0.0925746, abs=2e-7)
    student, teacher = draw(rng, (5, 7)), draw(rng, (5, 7))
    p, q = ((z / 3).softmax(1) for z in (teacher, student))
    expected = 9 * torch.nn.functional.kl_div(q.log(), p, reduction="batchmean")
    torch.testing.assert_close(kl_divergence(student, teacher, 3.0), expected)


def test_the_divergence_is_the_target_s_and_a_share_of_the_others(rng):
    """KL = TSKD + (1 - p_y) NSKD, for every utterance."""
    student, teacher = draw(rng, (20, 9), 3), draw(rng, (20, 9), 3)
    labels = torch.from_numpy(rng.integers(0, 9, 20))
    rest = 1 - teacher.softmax(1).gather(1, labels[:, None])[:, 0]
    for n in range(20):
        row = slice(n, n + 1)
        target, others = decoupled_kl(student[row], teacher[row], labels[row])
        kl = kl_divergence(student[row], teacher[row])
        torch.testing.assert_close(target + rest[n] * others, kl)


@pytest.mark.parametrize("size", [50, 1e3, 1e6])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_posterior_of_one_has_finite_divergences_and_gradients(size, temperature):
    """In float32, exp(-200) is 0 and log(1 - p) of the paper's code infinite."""
    student = torch.tensor([[size, 0.0, 1.0], [-size, 0.0, 1.0]], requires_grad=True)
    teacher = torch.tensor([[size, 1.0, 0.0], [size, 1.0, 0.0]])
    labels = torch.zeros(2, dtype=torch.int64)
    kl = kl_divergence(student, teacher, temperature)
    parts = decoupled_kl(student, teacher, labels, temperature)
    (kl + sum(parts)).backward()
    assert all(x.isfinite() and x >= -1e-6 for x in (kl, *parts))
    assert student.grad.isfinite().all()
    # The one who is wrong by 2 * size is pulled up, at the slope T of its logit.
    assert student.grad[1, 0].item() == pytest.approx(-temperature, rel=1e-3)


def test_the_others_are_heard_when_the_teacher_is_sure():
    """The point of the paper: the divergence as a whole no longer sees them."""
    teacher = torch.tensor([[30.0, 2.0, -2.0]])
    student = torch.tensor([[30.0, -2.0, 2.0]])
    _, others = decoupled_kl(student, teacher, torch.tensor([0]))
    assert kl_divergence(student, teacher) < 1e-10
    assert others > 3


def test_two_classes_have_no_others():
    target, others = decoupled_kl(STUDENT[:, :2], TEACHER[:, :2], LABELS)
    assert others == 0
    torch.testing.assert_close(target, kl_divergence(STUDENT[:, :2], TEACHER[:, :2]))


def test_the_cosine_distance_is_between_0_and_2():
    x = torch.tensor([[1.0, 2.0]])
    values = [cosine_distance(x, y).item() for y in (3 * x, x.flip(1) * 0 + 0, -x)]
    assert values == pytest.approx([0, 1, 2], abs=1e-6)


def test_the_squared_error_is_the_quadratic_form(rng):
    student, teacher = draw(rng, (4, 3)), draw(rng, (4, 3))
    precision = draw(rng, (4, 3)).exp()
    expected = np.mean(
        [
            (s - t) @ np.diag(p) @ (s - t) / 3
            for s, t, p in zip(
                student.numpy(), teacher.numpy(), precision.numpy(), strict=True
            )
        ]
    )
    found = squared_error(student, teacher, precision)
    assert found.item() == pytest.approx(expected)
    torch.testing.assert_close(
        squared_error(student, teacher), torch.nn.functional.mse_loss(student, teacher)
    )


def test_within_the_posterior_there_is_no_pull_and_beyond_only_to_its_edge():
    precision = torch.tensor([[4.0, 0.25]])
    inside = torch.tensor([[0.4, 1.0]], requires_grad=True)
    loss = squared_error(inside, torch.zeros(1, 2), precision, slack=1.0)
    loss.backward()
    assert loss == 0
    assert not inside.grad.any()
    point = torch.tensor([[3.0, -5.0]], requires_grad=True)
    for _ in range(2000):
        loss = squared_error(point, torch.zeros(1, 2), precision, slack=1.0)
        (slope,) = torch.autograd.grad(loss, point)
        point = (point - 0.1 * slope).detach().requires_grad_()
    assert (precision * point**2).mean().item() == pytest.approx(1, abs=1e-3)


def test_a_draw_from_the_posterior_lies_on_its_edge(rng):
    """What the slack is measured in: E[(w - v)' P (w - v)] / R = 1."""
    precision = draw(rng, (1, 50)).exp().expand(4000, 50)
    drawn = draw(rng, (4000, 50)) / precision.sqrt()
    q = squared_error(drawn, torch.zeros(4000, 50), precision)
    assert q.item() == pytest.approx(1, rel=0.02)


def huber(x):
    return 0.5 * x**2 if abs(x) < 1 else abs(x) - 0.5


def test_relations_are_those_of_the_definition(rng):
    student, teacher = draw(rng, (5, 3)), draw(rng, (5, 6))
    distances, cosines = [], []
    for x in (student.numpy(), teacher.numpy()):
        pairs = [np.linalg.norm(a - b) for a, b in itertools.combinations(x, 2)]
        distances.append(np.array(pairs) / np.mean(pairs))
        angles = np.zeros((5, 5, 5))
        for i, j, k in itertools.product(range(5), repeat=3):
            u, v = x[j] - x[i], x[k] - x[i]
            length = np.linalg.norm(u) * np.linalg.norm(v)
            angles[i, j, k] = u @ v / length if length else 0
        cosines.append(angles.ravel())
    for found, (s, t) in (
        (distance_relations(student, teacher), distances),
        (angle_relations(student, teacher), cosines),
    ):
        expected = np.mean([huber(x) for x in s - t])
        assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize("relations", [distance_relations, angle_relations])
def test_relations_do_not_depend_on_scale_place_and_rotation(relations, rng):
    x = draw(rng, (6, 4))
    rotation, _ = torch.linalg.qr(draw(rng, (4, 4)))
    assert relations(3 * x @ rotation + 5, x) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("relations", [distance_relations, angle_relations])
def test_relations_of_equal_utterances_have_finite_gradients(relations, rng):
    x = torch.zeros(4, 3)
    x[2:] = 1
    x.requires_grad_()
    relations(x, draw(rng, (4, 3)).float()).backward()
    assert x.grad.isfinite().all()
