"""Teachers read from disk, and in the training loop: killed, resumed, untouched."""

import os
import signal

import numpy as np
import pytest
import torch

from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.uncertainty import transform_precision
from asdkit.base.errors import AsdkitError, DataError
from asdkit.data.batches import Batch
from asdkit.data.networks import TrainedNetwork, build_network, save_network
from asdkit.data.sources import FeatureSource
from asdkit.distillation.objectives import DecoupledKd, Mse
from asdkit.distillation.teachers import NetworkTeacher, VectorTeacher
from asdkit.io.ark import ArkWriter
from asdkit.io.store import save_arrays
from asdkit.losses.classification import AamSoftmax
from asdkit.training.loop import Training
from asdkit.training.teachers import StoredNetwork, StoredVectors, TeacherReader

UTTS = [f"s{spk}-{n}" for spk in range(6) for n in range(8)]
FBANK = {"type": "fbank", "options": {"num_mel_bins": 10}}


@pytest.fixture
def archive(tmp_path, rng, monkeypatch):
    """Vectors and precisions of 5 dimensions; returns a writer of more."""
    monkeypatch.chdir(tmp_path)

    def write(name, table):
        with ArkWriter(".", name) as writer:
            for utt, x in table.items():
                writer[utt] = x.astype(np.float32)

    write.x = dict(zip(UTTS, rng.normal(size=(48, 5)), strict=True))
    write.p = dict(zip(UTTS, np.exp(rng.normal(size=(48, 5))), strict=True))
    write("ivector", write.x)
    write("precision", write.p)
    return write


def batch_of(*utts):
    size = len(utts)
    return Batch(list(utts), torch.zeros(size, 3, 4), torch.full((size,), 3), None)


def read(**options):
    return TeacherReader(teacher="scp:ivector.scp", **options).read()


@pytest.mark.parametrize("lda", [False, True])
def test_vectors_and_their_precisions_go_through_the_maps(archive, lda):
    x, p = np.array([*archive.x.values()]), np.array([*archive.p.values()])
    maps = [Center(), *([Lda(lda_dim=3)] if lda else []), LengthNorm()]
    pipeline = Pipeline([*maps, Cosine()]).fit(x, np.array([u[:2] for u in UTTS]))
    save_arrays("backend.npz", "Pipeline", *pipeline.to_state())
    stored = read(
        teacher_transform="backend.npz", teacher_precision="scp:precision.scp"
    )
    teacher = stored.teacher([], "cpu")
    found = teacher.embed(batch_of("s5-1", "s0-0"))
    rows = [41, 0]
    np.testing.assert_allclose(found, pipeline.transform(x)[rows], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.norm(dim=1), np.sqrt([3 if lda else 5] * 2), 1e-5)
    expected = transform_precision(maps, x, p)
    found = teacher.precision(batch_of("s5-1", "s0-0"))
    np.testing.assert_allclose(found, expected[rows], rtol=1e-4)


def test_without_a_transform_vectors_are_as_they_are(archive):
    teacher = read().teacher([], "cpu")
    found = teacher.embed(batch_of("s3-3"))
    np.testing.assert_allclose(found[0], archive.x["s3-3"], rtol=1e-6)


def test_missing_vectors_are_named_or_skipped_with_a_count(archive, caplog):
    more = [*UTTS, "z1", "z2", "z3", "z4"]
    with pytest.raises(DataError) as error:
        read().select(more)
    assert "no vector of 4 of 52 training utterances: z1, z2, z3, ..." in str(error)
    assert read(missing_teacher="skip").select(more) == UTTS
    assert "4 of 52 training utterances: z1, z2, z3, ...; skipped" in caplog.text
    with pytest.raises(DataError, match="no vector of 3 of 4 training"):
        read(missing_teacher="skip").select(["s0-0", "z1", "z2", "z3"])


def test_a_vector_without_a_precision_is_missing(archive):
    archive("precision", {utt: archive.p[utt] for utt in UTTS[1:]})
    stored = read(teacher_precision="scp:precision.scp")
    with pytest.raises(DataError, match=r"no vector of 1 of 48 .*: s0-0"):
        stored.select(UTTS)


def test_a_precision_is_above_zero(archive):
    archive("precision", {utt: 0 * x for utt, x in archive.p.items()})
    with pytest.raises(DataError, match="expected numbers above 0"):
        read(teacher_precision="scp:precision.scp")


def test_precisions_and_transforms_of_another_dimension_are_refused(archive):
    archive("precision", {utt: x[:4] for utt, x in archive.p.items()})
    with pytest.raises(DataError, match="expected vectors of 5 dimensions"):
        read(teacher_precision="scp:precision.scp")


def test_what_is_read_is_described_down_to_its_numbers(archive):
    before = read().description
    assert before["teacher"] == "scp:ivector.scp"
    archive("ivector", archive.x | {"s0-0": archive.x["s0-1"]})
    after = read().description
    assert before.pop("checksum") != after.pop("checksum")
    assert before == after


def test_another_speed_is_another_voice(archive):
    source = FeatureSource("audio", **FBANK)
    assert read().ear(source, perturb_speed=False) is None
    with pytest.raises(AsdkitError, match="a voice is another's"):
        read().ear(source, perturb_speed=True)


def test_options_without_a_teacher_are_refused(archive):
    assert TeacherReader().read() is None
    with pytest.raises(AsdkitError, match="there is no --teacher"):
        TeacherReader(teacher_transform="backend.npz").read()


@pytest.fixture
def make_network(tmp_path, monkeypatch):
    """Write a network of three classes that was trained with some features."""
    monkeypatch.chdir(tmp_path)

    def make(**features):
        options = {
            "network": {"name": "xvector", "feat_dim": 4, "channels": 4},
            "loss": {"name": "am_softmax"},
            "features": FeatureSource(**features).description,
            "classes": ["a", "b", "c"],
        }
        trained = build_network(options)
        save_network("net/network.pt", TrainedNetwork(*trained))
        return TeacherReader(teacher="net").read()

    return make


def test_a_folder_is_a_network(make_network, archive):
    stored = make_network(type="fbank")
    assert isinstance(stored, StoredNetwork)
    assert isinstance(read(), StoredVectors)
    assert stored.select(UTTS) is UTTS
    teacher = stored.teacher(["c", "a"], "cpu")
    assert teacher.match_classes().tolist() == [2, 0]
    with pytest.raises(AsdkitError, match="only vectors are transformed"):
        TeacherReader(teacher="net", teacher_transform="backend.npz").read()
    with pytest.raises(DataError, match=r"network.pt: no such file"):
        TeacherReader(teacher=".").read()


def test_a_network_is_known_by_its_weights(make_network):
    checksums = [make_network().description["checksum"] for _ in range(2)]
    assert checksums[0] != checksums[1]
    assert StoredNetwork("net").description["checksum"] == checksums[1]


@pytest.mark.parametrize("lane", ["stored", "audio"])
def test_the_same_features_need_no_second_ear(make_network, lane):
    """Stored or computed, they are the same."""
    stored = make_network(lane="audio", **FBANK)
    assert stored.ear(FeatureSource(lane, **FBANK), False) is None


def test_other_features_are_computed_from_the_same_audio(make_network):
    stored = make_network(lane="stored", **FBANK, delta_order=1)
    found = stored.ear(FeatureSource("audio", "waveform"), True)
    assert found == FeatureSource("audio", **FBANK, delta_order=1)


def test_features_that_cannot_both_be_had_are_refused_with_both_values(make_network):
    stored = make_network(lane="stored", **FBANK)
    other = {"type": "fbank", "options": {"num_mel_bins": 20}}
    with pytest.raises(DataError, match=r"options.num_mel_bins = 10, now 20") as error:
        stored.ear(FeatureSource("stored", **other), False)
    assert "--features" in error.value.hint
    voiced = make_network(lane="stored", voiced=True, **FBANK)
    with pytest.raises(DataError, match="voiced = True, now False"):
        voiced.ear(FeatureSource("audio", **FBANK), False)
    unknown = make_network(lane="stored")
    assert unknown.ear(FeatureSource("stored"), False) is None
    with pytest.raises(DataError, match=r"type = None, now 'fbank'"):
        unknown.ear(FeatureSource("audio", **FBANK), False)


@pytest.fixture(params=["vectors", "network"])
def make_student(request, make_model):
    """Give a student and what it minimizes, the same ones every time."""

    def make():
        network, labels = make_model(dropout=0.3, norm=True)
        torch.manual_seed(4)
        if request.param == "vectors":
            utts = [f"utt{step}-{i}" for step in range(15) for i in range(8)]
            x = np.random.default_rng(5).normal(size=(len(utts), 3))
            teacher = VectorTeacher(utts, x)
            return network, Mse(labels.loss, network, teacher, distill_warmup=0.5)
        deep, _ = make_model(norm=True)
        options = {"loss": {"name": "aam_softmax"}, "classes": list("dcba")}
        theirs = AamSoftmax(5, 4, 8.0)
        teacher = NetworkTeacher(deep, theirs, options, list("abcd"))
        return network, DecoupledKd(labels.loss, network, teacher)

    return make


def weights_of(network, objective):
    return {**network.state_dict(), **objective.state_dict()}


def test_killed_and_started_again_it_ends_with_the_same_bits(
    make_student, make_batches, tmp_path, run_in_child
):
    training = Training(num_epochs=3, checkpoint_minutes=0, averaging="ema")
    whole = make_student()
    history = training.fit(*whole, make_batches(), tmp_path / "whole", {"a": 1})

    def die(step, batch):
        return os.kill(os.getpid(), signal.SIGKILL) if step == 7 else batch

    def train_until_killed():
        batches = make_batches(at_step=die)
        training.fit(*make_student(), batches, tmp_path / "killed", {"a": 1})

    assert run_in_child(train_until_killed) == -signal.SIGKILL
    again = make_student()
    found = training.fit(*again, make_batches(), tmp_path / "killed", {"a": 1})
    assert [x["distill"] for x in found] == [x["distill"] for x in history]
    for name, value in weights_of(*whole).items():
        assert torch.equal(weights_of(*again)[name], value), name


def test_checkpoints_hold_nothing_of_a_teacher(make_student, make_batches, tmp_path):
    network, objective = make_student()
    teacher = getattr(objective.teacher, "_network", None)
    before = teacher and {k: x.clone() for k, x in teacher.state_dict().items()}
    Training(num_epochs=1).fit(network, objective, make_batches(), tmp_path, {})
    content = torch.load(tmp_path / "checkpoint.5.pt", weights_only=True)
    names = content["tensors"]["model"]
    assert {name.partition(".")[0] for name in names} == {"network", "objective"}
    assert not [name for name in names if "teacher" in name]
    if teacher:
        for name, value in teacher.state_dict().items():
            assert torch.equal(value, before[name])


def test_a_student_comes_nearer_to_its_teacher(make_student, make_batches, tmp_path):
    network, objective = make_student()
    objective.distill_warmup = 0.0
    training = Training(num_epochs=12, learning_rate=0.05)
    fixed = make_batches()
    first = [batch for _, batch in zip(range(5), fixed.from_step(0), strict=False)]
    fixed.from_step = lambda step: ((n, first[n % 5][1]) for n in range(step, 10_000))
    history = training.fit(network, objective, fixed, tmp_path, {})
    for name in {"mse", "nskd"} & history[0].keys():
        assert history[-1][name] < 0.9 * history[0][name]
