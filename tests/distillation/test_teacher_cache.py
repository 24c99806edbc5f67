"""What a teacher said, kept on disk: the same to the bit, and never another's."""

import os
import signal

import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.distillation.teacher_cache import CachedNetwork
from asdkit.nnet.registry import build

OPTIONS = {"name": "xvector", "channels": 4, "feat_dim": 5, "embedding_dim": 3}


def frozen(seed=0, **options):
    """Build a network of some weights; it counts how often it is asked."""
    torch.manual_seed(seed)
    network = build(**OPTIONS | options).eval().requires_grad_(False)
    network.times_asked = 0

    def count(*_):
        network.times_asked += 1

    network.register_forward_hook(count)
    return network


@pytest.fixture
def cached(tmp_path):
    """Let a network remember, as another process would."""

    def make(network, max_gb=1.0, **options):
        return CachedNetwork(network, OPTIONS | options, tmp_path / "cache", max_gb)

    return make


@pytest.fixture
def chunks():
    torch.manual_seed(7)
    return torch.randn(6, 20, 5)


def files_in(directory):
    return sorted(path for path in directory.rglob("*") if path.is_file())


def test_answers_are_the_same_to_the_bit_and_computed_once(cached, chunks):
    expected = frozen()(chunks)
    for times_asked in (1, 0):
        network = frozen()
        teacher = cached(network)
        for _ in range(3):
            assert torch.equal(teacher(chunks), expected)
        assert network.times_asked == times_asked


def test_the_same_numbers_with_other_lengths_are_another_batch(cached, chunks):
    network = frozen()
    teacher = cached(network)
    whole = torch.full((6,), 20)
    for lengths in (None, whole, whole - 1):
        for _ in range(2):
            assert torch.equal(teacher(chunks, lengths), frozen()(chunks, lengths))
    assert network.times_asked == 3


def next_number(chunks):
    chunks = chunks.clone()
    chunks[-1, -1, -1] = torch.nextafter(chunks[-1, -1, -1], torch.tensor(9.0))
    return chunks


@pytest.mark.parametrize(
    "change",
    [next_number, lambda x: x.flip(0), lambda x: x[:5], lambda x: x[:, :19]],
    ids=["one bit", "order", "fewer chunks", "shorter chunks"],
)
def test_another_batch_is_asked_anew(change, cached, chunks):
    network = frozen()
    teacher = cached(network)
    teacher(chunks)
    assert torch.equal(teacher(change(chunks)), frozen()(change(chunks)))
    assert network.times_asked == 2


def one_weight(network):
    with torch.no_grad():
        next(network.parameters()).view(-1)[0].add_(1e-6)


def one_statistic(network):
    network.get_buffer(next(name for name, _ in network.named_buffers())).add_(1e-3)


@pytest.mark.parametrize("change", [one_weight, one_statistic])
def test_another_teacher_is_asked_anew(change, cached, chunks):
    cached(frozen())(chunks)
    other = frozen()
    change(other)
    expected = other(chunks)
    other.times_asked = 0
    assert torch.equal(cached(other)(chunks), expected)
    assert other.times_asked == 1


def test_weights_alone_do_not_make_a_teacher(cached, chunks):
    """Options without weights, such as strides, can make another of the same ones."""
    cached(frozen())(chunks)
    network = frozen()
    cached(network, stride=2)(chunks)
    assert network.times_asked == 1


def test_the_arithmetic_is_part_of_the_question(cached, chunks):
    network = frozen()
    teacher = cached(network)
    exact = teacher(chunks)
    with torch.autocast("cpu", torch.bfloat16):
        expected = frozen()(chunks).float()
        for _ in range(2):
            assert torch.equal(teacher(chunks), expected)
    assert not torch.equal(exact, expected)
    assert network.times_asked == 2


def test_beyond_its_size_nothing_is_kept_and_all_is_right(
    cached, chunks, tmp_path, caplog
):
    size = 6 * 3 * 4 + 128 + 172  # numbers, numpy's header, the zip file around them
    for batch in (chunks, chunks + 1, chunks + 2):
        network = frozen()
        teacher = cached(network, max_gb=1.5 * size / 1e9)
        assert torch.equal(teacher(batch), frozen()(batch))
    assert len(files_in(tmp_path / "cache")) == 2
    assert "is full" in caplog.text
    again = frozen()
    for batch in (chunks, chunks + 1, chunks + 2):
        cached(again, max_gb=1.5 * size / 1e9)(batch)
    assert again.times_asked == 1


def test_killed_while_writing_it_leaves_nothing_that_is_believed(
    cached, chunks, tmp_path, monkeypatch, run_in_child
):
    def write_half(stream, **_):
        stream.write(b"PK\x03\x04")
        stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def ask():
        monkeypatch.setattr("asdkit.distillation.teacher_cache.np.savez", write_half)
        cached(frozen())(chunks)

    assert run_in_child(ask) == -signal.SIGKILL
    assert len(files_in(tmp_path / "cache")) == 1  # what was half written
    network = frozen()
    teacher = cached(network)
    for _ in range(2):
        assert torch.equal(teacher(chunks), frozen()(chunks))
    assert network.times_asked == 1


def test_a_damaged_file_is_named(cached, chunks, tmp_path):
    cached(frozen())(chunks)
    (path,) = files_in(tmp_path / "cache")
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content in (whole[:-7], flipped):
        path.write_bytes(content)
        with pytest.raises(DataError, match=path.name) as error:
            cached(frozen())(chunks)
        assert "delete it" in error.value.hint


def test_files_without_a_checksum_are_not_used_but_named(
    cached, chunks, tmp_path, caplog
):
    cached(frozen())(chunks)
    (path,) = files_in(tmp_path / "cache")
    path.rename(path.with_suffix(".npy"))
    network = frozen()
    cached(network)(chunks)
    assert network.times_asked == 1
    assert "1 files without a checksum" in caplog.text
