"""Teachers read from disk: vectors, precisions, networks, and what is refused."""

import numpy as np
import pytest
import torch

from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.uncertainty import transform_posterior_precision
from asdkit.base.errors import AsdkitError, DataError
from asdkit.batches.batches import Batch
from asdkit.batches.feature_config import FeatureConfig
from asdkit.distillation.stored_teachers import (
    StoredNetwork,
    StoredVectors,
    TeacherReader,
)
from asdkit.io.ark import ArkWriter
from asdkit.io.store import save_arrays
from asdkit.models.networks import TrainedNetwork, build_network, save_network

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
    expected = transform_posterior_precision(maps, x, p)
    found = teacher.posterior_precision(batch_of("s5-1", "s0-0"))
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
    source = FeatureConfig("audio", **FBANK)
    assert read().front_end_for(source, perturb_speed=False) is None
    with pytest.raises(AsdkitError, match="counts as another speaker"):
        read().front_end_for(source, perturb_speed=True)


def test_options_without_a_teacher_are_refused(archive):
    assert TeacherReader().read() is None
    with pytest.raises(AsdkitError, match="needs --teacher"):
        TeacherReader(teacher_transform="backend.npz").read()


@pytest.fixture
def make_network(tmp_path, monkeypatch):
    """Write a network of three classes that was trained with some features."""
    monkeypatch.chdir(tmp_path)

    def make(**features):
        options = {
            "network": {"name": "xvector", "feat_dim": 4, "channels": 4},
            "loss": {"name": "am_softmax"},
            "features": FeatureConfig(**features).description,
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


@pytest.mark.parametrize("source", ["stored", "audio"])
def test_the_same_features_need_no_second_front_end(make_network, source):
    """Stored or computed, they are the same."""
    stored = make_network(source="audio", **FBANK)
    assert stored.front_end_for(FeatureConfig(source, **FBANK), False) is None


def test_other_features_are_computed_from_the_same_audio(make_network):
    stored = make_network(source="stored", **FBANK, delta_order=1)
    found = stored.front_end_for(FeatureConfig("audio", "waveform"), True)
    assert found == FeatureConfig("audio", **FBANK, delta_order=1)


def test_features_that_cannot_both_be_had_are_refused_with_both_values(make_network):
    stored = make_network(source="stored", **FBANK)
    other = {"type": "fbank", "options": {"num_mel_bins": 20}}
    with pytest.raises(DataError, match=r"options.num_mel_bins = 10, now 20") as error:
        stored.front_end_for(FeatureConfig("stored", **other), False)
    assert "--features" in error.value.hint
    voiced = make_network(source="stored", voiced=True, **FBANK)
    with pytest.raises(DataError, match="voiced = True, now False"):
        voiced.front_end_for(FeatureConfig("audio", **FBANK), False)
    unknown = make_network(source="stored")
    assert unknown.front_end_for(FeatureConfig("stored"), False) is None
    with pytest.raises(DataError, match=r"type = None, now 'fbank'"):
        unknown.front_end_for(FeatureConfig("audio", **FBANK), False)
