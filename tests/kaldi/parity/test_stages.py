import gzip
import shutil
from pathlib import Path

import kaldiio
import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi import read_object, write_object
from asdkit.kaldi.parity.experiment import Experiment
from asdkit.kaldi.parity.stages import STAGES, compare, report

GOLDEN = Path(__file__).parents[2] / "golden" / "kaldi"


@pytest.fixture(scope="module")
def golden_rows():
    return list(compare(Experiment(GOLDEN)))


def only(monkeypatch, *names):
    """Leave the other stages out, for speed."""
    chosen = [s for s in STAGES if f"{s.section}: {s.name}" in names]
    assert len(chosen) == len(names)
    monkeypatch.setattr("asdkit.kaldi.parity.stages.STAGES", chosen)


OF_IVECTORS = [stage for stage in STAGES if stage.section != "x-vectors"]


@pytest.mark.parametrize("stage", OF_IVECTORS, ids=lambda s: f"{s.section}: {s.name}")
def test_every_stage_agrees_with_kaldi(golden_rows, stage):
    rows = [r for r in golden_rows if (r.section, r.stage) == stage[:2]]
    assert rows
    assert {row.verdict for row in rows} == {"ok"}


def test_agreement_is_much_closer_than_what_is_allowed(golden_rows):
    """A drift should be seen here before a lab sees it."""
    tight = {"EM": 5e-5, "full EM": 5e-5, "diagonal EM": 5e-5, "PLDA": 1e-6}
    tight |= {"i-vectors, train": 2e-5, "i-vectors, test": 2e-5, "LDA": 1e-6}
    seen = set()
    for row in golden_rows:
        if row.stage in tight and row.section != "scores":
            assert row.finding.difference.relative < tight[row.stage], row
            seen.add(row.stage)
    assert seen == set(tight)


def test_every_em_step_of_the_golden_folder_is_checked(golden_rows):
    found = {(r.stage, r.finding.what.partition(",")[0]) for r in golden_rows}
    steps = {
        "diagonal EM": ["0 -> 1", "1 -> 2", "2 -> 3", "3 -> final"],
        "full EM": ["0 -> 1", "1 -> final"],
        "EM": ["0 -> 1", "1 -> 2", "2 -> 3"],
    }
    assert {(stage, step) for stage in steps for step in steps[stage]} <= found


def test_equal_error_rates_are_those_kaldi_printed(golden_rows):
    shown = [r.finding.what for r in golden_rows if "EER" in r.finding.what]
    assert shown[0] == "EER = 22.2222 %"
    assert shown[-1] == "EER = 38.8889 %"
    differences = [r.finding.difference for r in golden_rows if r.finding.what in shown]
    assert set(differences) == {(0, 0)}


def change(path, position):
    """Change one number by a percent: the largest of a field of the model."""
    content = read_object(path)
    fields = content if isinstance(content, tuple) else [content]
    field = fields[position]
    field.flat[np.abs(field).argmax()] *= 1.01
    write_object(path, content)


def change_table(path):
    """Turn the first decision around."""
    arrays = {key: array.copy() for key, array in read_arrays(f"ark:{path}")}
    next(iter(arrays.values())).flat[0] += 1
    kaldiio.save_ark(str(path), arrays)


def change_text(path):
    """Raise the first score."""
    first, *rest = path.read_text().splitlines()
    *names, score = first.split()
    lines = [" ".join([*names, f"{float(score) + 0.01}"]), *rest]
    path.write_text("".join(f"{line}\n" for line in lines))


CHANGES = {
    "features: MFCC, test": ("feats/mfcc_test.ark", change_table),
    "features: filter banks": ("feats/fbank80_head3.ark", change_table),
    "features: VAD, train": ("feats/vad_train.ark", change_table),
    "features: front end": ("feats/deltas_cmn50_head3.ark", change_table),
    "UBM: diagonal EM": ("diag_ubm/2.dubm", lambda path: change(path, 3)),
    "UBM: full EM": ("full_ubm/final.ubm", lambda path: change(path, 1)),
    "extractor: EM": ("extractor/2.ie", lambda path: change(path, 2)),
    "extractor: i-vectors, test": ("ivectors/test.ark", change_table),
    "back-end: mean": ("backend/mean.vec", lambda path: change(path, 0)),
    "back-end: LDA": ("backend/transform.mat", lambda path: change(path, 0)),
    "back-end: PLDA": ("backend/plda", lambda path: change(path, 2)),
    "back-end: adapted PLDA": ("backend/plda_adapt", lambda path: change(path, 0)),
    "scores: PLDA": ("scores/plda_scores_multi", change_text),
    "scores: cosine": ("scores/cos_scores", change_text),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_changed_number_of_kaldi_is_seen(copied, monkeypatch, capsys, name):
    """Not a single verdict of the table is a matter of course."""
    file, damage = CHANGES[name]
    damage(copied / file)
    only(monkeypatch, name)
    assert main(["kaldi-parity", "--log-level", "WARNING", str(copied)]) == 1
    shown = capsys.readouterr()
    assert any(
        file in line and line.endswith("differs") for line in shown.out.splitlines()
    )
    assert "of the table differ" in shown.err


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("features: MFCC, test", "mfcc.conf"),
        ("features: VAD, test", "feats/vad_test.ark"),
        ("UBM: diagonal EM", "diag_ubm/gselect.gz"),
        ("UBM: posteriors", "extractor/post.train.gz"),
        ("extractor: EM", "extractor/post.train.gz"),
        ("extractor: i-vectors, train", "ivectors/train.ark"),
        ("back-end: adapted PLDA", "backend/plda_adapt"),
        ("scores: adapted", "scores/plda_adapt_scores"),
    ],
)
def test_what_is_missing_is_named(copied, monkeypatch, name, file):
    (copied / file).unlink()
    only(monkeypatch, name)
    (row,) = compare(Experiment(copied))
    assert row.verdict == "not found"
    assert Path(file).name.partition(".")[0] in row.note


def test_a_damaged_file_costs_its_stage_only(copied, monkeypatch):
    path = copied / "backend" / "transform.mat"
    path.write_bytes(path.read_bytes()[:200])
    only(monkeypatch, "back-end: mean", "back-end: LDA")
    mean, lda = compare(Experiment(copied))
    assert mean.verdict == "ok"
    assert lda.verdict == "differs"
    assert "transform.mat: byte 200: expected" in lda.note


def test_lists_of_other_frames_are_not_compared(copied, monkeypatch):
    """Fewer frames, as after subsampling, must not be paired with the wrong ones."""
    path = copied / "feats" / "vad_train.ark"
    change_table(path)
    only(monkeypatch, "UBM: diagonal EM")
    (row,) = compare(Experiment(copied))
    assert row.verdict == "differs"
    assert "voiced frames but lists of" in row.note


def test_vectors_of_other_utterances_are_no_agreement(copied, monkeypatch):
    path = copied / "ivectors" / "test.ark"
    others = {f"x{key}": array for key, array in read_arrays(f"ark:{path}")}
    kaldiio.save_ark(str(path), others)
    only(monkeypatch, "extractor: i-vectors, test")
    (row,) = compare(Experiment(copied))
    assert row.verdict == "differs"
    assert "nothing of it can be compared" in row.note


def test_an_empty_directory_is_an_error(tmp_path):
    with pytest.raises(DataError, match="not one file of a Kaldi experiment"):
        report(Experiment(tmp_path))


@pytest.fixture
def recipe(tmp_path):
    """What a sid recipe leaves: conf/, data/ with tables, exp/; without clean-up."""
    root = tmp_path / "v1"
    shutil.copytree(GOLDEN / "wav", root / "wav")
    shutil.copytree(GOLDEN / "data", root / "data")
    for name in ("mfcc.conf", "vad.conf"):
        (root / "conf").mkdir(exist_ok=True)
        shutil.copy(GOLDEN / name, root / "conf")
    for part, method in (("train", 1), ("test", None)):
        data = root / "data" / part
        for ark, scp, options in (
            ("mfcc", "feats", {"compression_method": method}),
            ("vad", "vad", {}),
        ):
            arrays = dict(read_arrays(f"ark:{GOLDEN}/feats/{ark}_{part}.ark"))
            out = data / f"{scp}.scp"
            kaldiio.save_ark(
                str(root / f"{ark}_{part}.ark"), arrays, str(out), **options
            )
            out.write_text(out.read_text().replace(f"{root}/", ""))
        ivectors = dict(read_arrays(f"ark:{GOLDEN}/ivectors/{part}.ark"))
        folder = root / "exp" / f"ivectors_{part}"
        folder.mkdir(parents=True)
        kaldiio.save_ark(
            str(folder / "ivector.1.ark"), ivectors, str(folder / "ivector.scp")
        )
    for name in ("mean.vec", "transform.mat", "plda"):
        shutil.copy(GOLDEN / "backend" / name, root / "exp" / "ivectors_train")
    (root / "exp" / "extractor").mkdir()
    shutil.copy(GOLDEN / "extractor" / "3.ie", root / "exp" / "extractor" / "final.ie")
    shutil.copy(GOLDEN / "extractor" / "final.ubm", root / "exp" / "extractor")
    shutil.copy(GOLDEN / "scores" / "plda_scores", root / "exp" / "scores_test")
    return root


def test_the_layout_of_a_sid_recipe_is_found(recipe):
    rows = {(r.section, r.stage): r for r in compare(Experiment(recipe))}
    found = {" ".join(key) for key, row in rows.items() if row.verdict == "ok"}
    assert found == {
        "features MFCC, train",
        "features MFCC, test",
        "features VAD, test",
        "features VAD, train",
        "model files in and out extractor",
        "model files in and out back-end",
        "extractor i-vectors, test",
        "back-end mean",
        "back-end LDA",
        "back-end PLDA",
        "scores PLDA",
    }
    differing = {" ".join(key) for key, row in rows.items() if row.verdict == "differs"}
    # These i-vectors were extracted from features before compression.
    assert differing == {"extractor i-vectors, train"}
    assert rows["features", "MFCC, train"].finding.what == "compressed"
    assert rows["extractor", "EM"].note == "models of two iterations beside final.ie"


def test_segments_and_commands_are_read(recipe, monkeypatch):
    only(monkeypatch, "features: MFCC, test")
    data = recipe / "data" / "test"
    wavs = dict(line.split() for line in (data / "wav.scp").read_text().splitlines())
    (data / "segments").write_text("".join(f"{u} reco-{u} 0.0 -1\n" for u in wavs))
    (data / "wav.scp").write_text(
        "".join(f"reco-{u} cat {recipe / wavs[u]} |\n" for u in wavs)
    )
    (row,) = compare(Experiment(recipe))
    assert row.verdict == "not found"
    assert "--allow-pipes true" in row.note
    (row,) = compare(Experiment(recipe, allow_pipes=True))
    assert row.verdict == "ok"


def test_dithered_features_are_not_blamed_on_us(recipe, monkeypatch):
    only(monkeypatch, "features: MFCC, test")
    conf = recipe / "conf" / "mfcc.conf"
    conf.write_text(conf.read_text().replace("--dither=0.0", "--dither=1.0"))
    (row,) = compare(Experiment(recipe))
    assert row.verdict == "not found"
    assert "random noise that cannot be repeated" in row.note


def test_several_jobs_are_read_as_one(copied, monkeypatch):
    only(monkeypatch, "UBM: diagonal EM")
    whole = copied / "diag_ubm" / "gselect.gz"
    data = gzip.decompress(whole.read_bytes())
    middle = data.index(b"spk06-utt0 \0B")
    for job, part in (("1", data[:middle]), ("2", data[middle:])):
        (copied / "diag_ubm" / f"gselect.{job}.gz").write_bytes(gzip.compress(part))
    whole.unlink()
    assert [row.verdict for row in compare(Experiment(copied))] == ["ok"] * 4


def test_numbers_are_not_ok_when_they_are_nan(copied, monkeypatch):
    only(monkeypatch, "features: front end")
    path = copied / "feats" / "deltas_head3.ark"
    arrays = {key: array.copy() for key, array in read_arrays(f"ark:{path}")}
    next(iter(arrays.values()))[0, 0] = np.nan
    kaldiio.save_ark(str(path), arrays)
    assert "differs" in [row.verdict for row in compare(Experiment(copied))]
