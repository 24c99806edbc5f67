"""Every corpus' own layout, drawn small: what becomes of it, and what can be wrong."""

import shutil

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.corpora.asvspoof import prepare
from asdkit.data.directory_validation import validate
from asdkit.data.manifests import read_utterances
from asdkit.data.supervisions import read_supervisions, spoofed_parts
from asdkit.io.tables import read_lines, read_table

RATE = 16000
LA = "ASVspoof2019_LA"


@pytest.fixture
def draw(tmp_path, rng, monkeypatch):
    """Write audio and lists of a corpus; the current directory is the root's parent."""
    monkeypatch.chdir(tmp_path)

    def write(audio, utts, lists):
        folder = tmp_path / "root" / audio
        folder.mkdir(parents=True, exist_ok=True)
        for utt in utts:
            samples = 0.1 * rng.standard_normal(1600)
            soundfile.write(folder / f"{utt}.flac", samples, RATE)
        for name, lines in lists.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in lines))
        return folder

    return write


@pytest.fixture
def la_dev(draw):
    """ASVspoof 2019 LA dev: one bona fide, two spoofed, one to enroll, ASV lists."""
    asv = f"{LA}_asv_protocols/ASVspoof2019.LA.asv.dev"
    return draw(
        f"{LA}_dev/flac",
        ["LA_D_1", "LA_D_2", "LA_D_3", "LA_D_A1", "LA_D_A2"],
        {
            f"{LA}_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt": [
                "LA_1 LA_D_2 - A02 spoof",
                "LA_1 LA_D_1 - - bonafide",
                "LA_2 LA_D_3 - A01 spoof",
            ],
            f"{asv}.gi.trl.txt": [
                "LA_1 LA_D_2 A02 spoof",
                "LA_1 LA_D_1 bonafide target",
                "LA_2 LA_D_1 bonafide nontarget",
            ],
            f"{asv}.female.trn.txt": ["LA_1 LA_D_A1"],
            f"{asv}.male.trn.txt": ["LA_2 LA_D_A2"],
            f"{LA}_asv_scores/ASVspoof2019.LA.asv.dev.gi.trl.scores.txt": [
                "A02 spoof 0.5",
                "bonafide target 4.5",
                "bonafide nontarget -3.0",
            ],
        },
    )


def prepare_la(**options):
    prepare("asvspoof2019_la", "dev", "root", "data/dev", **options)


def no_problems(*directories):
    return not [p for x in directories for p in validate(x).problems()]


def test_2019_la_has_trials_attacks_enrollment_and_scores(la_dev):
    prepare_la()
    assert no_problems("data/dev", "data/dev_enroll")
    attacks = {"LA_D_1": "bonafide", "LA_D_2": "A02", "LA_D_3": "A01"}
    assert read_table("data/dev/utt2attack") == attacks
    spks = {"LA_D_1": "LA_1", "LA_D_2": "LA_1", "LA_D_3": "LA_2"}
    assert read_table("data/dev/utt2spk") == spks
    (first, *_) = read_utterances("data/dev")
    assert (first.duration, first.sampling_rate) == (0.1, RATE)
    assert first.custom == {"attack": "bonafide"}
    assert read_lines("data/dev/asv_trials") == [
        "LA_1 LA_D_2 spoof",
        "LA_1 LA_D_1 target",
        "LA_2 LA_D_1 nontarget",
    ]
    scores = [line.split()[2] for line in read_lines("data/dev/asv_scores")]
    assert scores == ["0.5", "4.5", "-3.0"]
    enrolled = read_lines("data/dev/asv_enroll.spk2utt")
    assert enrolled == ["LA_1 LA_D_A1", "LA_2 LA_D_A2"]
    assert enrolled == read_lines("data/dev_enroll/spk2utt")


def test_speakers_of_trials_without_enrollment_are_counted(la_dev, tmp_path, caplog):
    """A list of speakers that was empty left them out, and no word."""
    prepare_la()
    assert "no enrollment utterances" not in caplog.text
    name = f"{LA}_asv_protocols/ASVspoof2019.LA.asv.dev.male.trn.txt"
    (tmp_path / "root" / name).write_text("")
    prepare_la()
    assert (
        "1 of 2 speakers of the ASV trials have no enrollment utterances, first 'LA_2'"
        in (caplog.text)
    )


def test_an_id_that_leads_elsewhere_is_refused_before_anything_is_written(
    la_dev, tmp_path
):
    """The directory to enroll from was there already."""
    path = tmp_path / f"root/{LA}_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt"
    path.write_text(path.read_text().replace("LA_2 LA_D_3", "../x LA_D_3"))
    with pytest.raises(DataError, match=r"trl\.txt:3: expected an id without '\.\.'"):
        prepare_la()
    assert not (tmp_path / "data").exists()


def test_2019_la_train_has_no_asv_part(draw):
    names = ["LA_T_1", "LA_T_2"]
    lines = ["LA_1 LA_T_1 - - bonafide", "LA_1 LA_T_2 - A01 spoof"]
    name = f"LA/{LA}_cm_protocols/ASVspoof2019.LA.cm.train.trn.txt"
    draw(f"LA/{LA}_train/flac", names, {name: lines})
    prepare("asvspoof2019_la", "train", "root", "data/train")
    assert no_problems("data/train")
    assert read_table("data/train/utt2attack") == {
        "LA_T_1": "bonafide",
        "LA_T_2": "A01",
    }


def test_2019_pa_enrolls_a_speaker_in_every_environment(draw):
    folder = "ASVspoof2019_PA"
    asv = f"{folder}_asv_protocols/ASVspoof2019.PA.asv.eval"
    draw(
        f"{folder}_eval/flac",
        ["PA_E_1", "PA_E_2", "PA_E_A1"],
        {
            f"{folder}_cm_protocols/ASVspoof2019.PA.cm.eval.trl.txt": [
                "PA_1 PA_E_1 aaa - bonafide",
                "PA_1 PA_E_2 aab AA spoof",
            ],
            f"{asv}.gi.trl.txt": [
                "PA_1 PA_E_1 aaa bonafide target",
                "PA_1 PA_E_2 aab AA spoof",
            ],
            f"{asv}.male.trn.txt": ["PA_1_aaa PA_E_A1"],
        },
    )
    prepare("asvspoof2019_pa", "eval", "root", "data/eval")
    rooms = {"PA_E_1": "aaa", "PA_E_2": "aab"}
    assert read_table("data/eval/utt2environment") == rooms
    assert read_lines("data/eval/asv_trials") == [
        "PA_1_aaa PA_E_1 target",
        "PA_1_aab PA_E_2 spoof",
    ]
    assert read_lines("data/eval/asv_enroll.spk2utt") == ["PA_1_aaa PA_E_A1"]
    assert read_lines("data/eval_enroll/utt2spk") == ["PA_E_A1 PA_1_aaa"]
    assert read_lines("data/eval_enroll/spk2gender") == ["PA_1_aaa m"]


def test_2021_la_has_codecs_and_subsets_and_enrolls_from_2019(draw):
    trials = [
        "LA_1 LA_E_1 alaw ita_tx bonafide bonafide notrim eval",
        "LA_1 LA_E_2 none - A07 spoof notrim progress",
    ]
    asv = [trials[0].replace(" bonafide notrim", " target notrim"), trials[1]]
    keys = "keys/LA"
    draw(
        "ASVspoof2021_LA_eval/flac",
        ["LA_E_1", "LA_E_2"],
        {
            f"{keys}/CM/trial_metadata.txt": trials,
            f"{keys}/ASV/trial_metadata.txt": asv,
            f"{keys}/ASV/ASVTorch_Kaldi/score.txt": [
                "LA_1 LA_E_1 2.5",
                "LA_1 LA_E_2 1.5",
            ],
        },
    )
    enrollment = f"LA/{LA}_asv_protocols/ASVspoof2019.LA.asv.eval.male.trn.txt"
    draw(f"LA/{LA}_eval/flac", ["LA_E_A1"], {enrollment: ["LA_1 LA_E_A1"]})
    prepare("asvspoof2021_la", "eval", "root", "data/eval")
    assert no_problems("data/eval", "data/eval_enroll")
    assert read_table("data/eval/utt2attack") == {"LA_E_1": "bonafide", "LA_E_2": "A07"}
    assert read_table("data/eval/utt2codec") == {"LA_E_1": "alaw", "LA_E_2": "none"}
    assert read_table("data/eval/utt2subset") == {
        "LA_E_1": "eval",
        "LA_E_2": "progress",
    }
    assert read_lines("data/eval/asv_scores") == ["LA_1 LA_E_1 2.5", "LA_1 LA_E_2 1.5"]
    assert (
        "LA/ASVspoof2019_LA_eval/flac"
        in read_table("data/eval_enroll/wav.scp")["LA_E_A1"]
    )


def test_2021_pa_and_df(draw):
    pa = [
        "PA_1 PA_E_1 R3 M3 d4 - - - - bonafide notrim eval",
        "PA_1 PA_E_2 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval",
    ]
    draw(
        "ASVspoof2021_PA_eval/flac",
        ["PA_E_1", "PA_E_2"],
        {"keys/PA/CM/trial_metadata.txt": pa},
    )
    df = [
        "LA_1 DF_E_1 nocodec asvspoof bonafide bonafide notrim eval bonafide - - - -",
        "LA_1 DF_E_2 low_mp3 vcc2018 A14 spoof notrim eval traditional_vocoder - - - -",
    ]
    draw(
        "ASVspoof2021_DF_eval/flac",
        ["DF_E_1", "DF_E_2"],
        {"keys/DF/CM/trial_metadata.txt": df},
    )
    prepare("asvspoof2021_pa", "eval", "root", "data/pa")
    prepare("asvspoof2021_df", "eval", "root", "data/df")
    assert no_problems("data/pa", "data/df")
    assert read_table("data/pa/utt2attack") == {"PA_E_1": "bonafide", "PA_E_2": "s4c4"}
    assert read_table("data/df/utt2attack") == {"DF_E_1": "bonafide", "DF_E_2": "A14"}
    assert read_table("data/df/utt2codec") == {"DF_E_1": "nocodec", "DF_E_2": "low_mp3"}
    assert not (validate("data/pa").num_problems)


def test_asvspoof5_has_genders_and_enrollment(draw):
    folder = "ASVspoof5_protocols/ASVspoof5.dev"
    draw(
        "flac_D",
        ["D_1", "D_2", "D_A1", "D_A2"],
        {
            f"{folder}.track_1.tsv": [
                "D_0001 D_1 F - - - - bonafide bonafide -",
                "D_0002 D_2 M - - - AC1 A11 spoof -",
            ],
            f"{folder}.track_2.trial.tsv": [
                "D_0001 D_1 F bonafide target",
                "D_0001 D_2 M A11 spoof",
            ],
            f"{folder}.track_2.enroll.tsv": ["D_0001 D_A1,D_A2"],
        },
    )
    prepare("asvspoof5", "dev", "root", "data/dev")
    assert no_problems("data/dev", "data/dev_enroll")
    assert read_table("data/dev/spk2gender") == {"D_0001": "f", "D_0002": "m"}
    assert read_table("data/dev/utt2attack") == {"D_1": "bonafide", "D_2": "A11"}
    assert read_lines("data/dev/asv_enroll.spk2utt") == ["D_0001 D_A1 D_A2"]
    assert not (validate("data/dev_enroll").num_problems)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def write_8khz(path):
    soundfile.write(path, np.zeros(800), 8000)


BAD = {
    "missing": (lambda path: path.unlink(), r"1 missing\), e.g. .*no such file"),
    "empty": (lambda path: path.write_bytes(b""), r"1 damaged\), e.g. .*an empty file"),
    "cut short": (truncate, r"1 damaged\), e.g. .*LA_D_3.flac: damaged or cut short: "),
    "8 kHz": (write_8khz, r"1 of another sampling rate\), e.g. .*expected 16000 Hz"),
}


@pytest.mark.parametrize("sort", BAD)
def test_bad_audio_is_an_error_unless_it_is_to_be_skipped(sort, la_dev, caplog):
    spoil, said = BAD[sort]
    spoil(la_dev / "LA_D_3.flac")
    with pytest.raises(DataError, match="1 of 3 files are unusable .*" + said) as error:
        prepare_la()
    assert "--skip-bad true" in error.value.hint
    with pytest.raises(DataError, match="no such manifest"):
        read_utterances("data/dev")
    prepare_la(skip_bad=True)
    assert "skipped: " in caplog.text
    assert "1 of 3 files are unusable" in caplog.text
    assert [item.utt for item in read_utterances("data/dev")] == ["LA_D_1", "LA_D_2"]
    assert no_problems("data/dev")


def test_more_bad_than_good_is_an_error_even_then(la_dev):
    for number in (2, 3):
        (la_dev / f"LA_D_{number}.flac").unlink()
    with pytest.raises(DataError, match="2 of 3 files are unusable"):
        prepare_la(skip_bad=True)


def test_a_skipped_class_is_an_error(la_dev, draw):
    (la_dev / "LA_D_1.flac").unlink()
    with pytest.raises(DataError, match="got 0 bona fide and 2 spoofed"):
        prepare_la(skip_bad=True)


def test_a_class_without_examples_is_an_error(draw):
    name = f"{LA}_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt"
    draw(f"{LA}_dev/flac", ["LA_D_1"], {name: ["LA_1 LA_D_1 - - bonafide"]})
    with pytest.raises(DataError, match="got 1 bona fide and 0 spoofed"):
        prepare_la()


def test_a_protocol_line_with_too_few_fields_is_named(la_dev, tmp_path):
    path = tmp_path / "root" / f"{LA}_cm_protocols" / "ASVspoof2019.LA.cm.dev.trl.txt"
    path.write_text(path.read_text() + "LA_2 LA_D_9 spoof\n")
    with pytest.raises(DataError, match=r"dev.trl.txt:4: expected 5 fields"):
        prepare_la()


def test_audio_without_a_trial_is_told(la_dev, caplog):
    shutil.copy(la_dev / "LA_D_1.flac", la_dev / "LA_D_7.flac")
    prepare_la()
    assert "1 files are in no protocol, left out: LA_D_7.flac" in caplog.text


def test_pairs_without_a_trial_are_left_out_and_told(la_dev, tmp_path, caplog):
    folder = tmp_path / "root" / f"{LA}_asv_protocols"
    path = folder / "ASVspoof2019.LA.asv.dev.gi.trl.txt"
    path.write_text(path.read_text() + "LA_1 LA_D_9 bonafide target\n")
    prepare_la()
    assert "1 of 4 pairs have utterances that are no CM trials" in caplog.text
    assert len(read_lines("data/dev/asv_trials")) == 3
    assert "its 3 lines are not those of the ASV protocol (4)" in caplog.text
    assert not (tmp_path / "data/dev/asv_scores").exists()


def test_scores_in_another_order_are_not_taken_for_those_of_the_pairs(la_dev, tmp_path):
    folder = tmp_path / "root" / f"{LA}_asv_scores"
    path = folder / "ASVspoof2019.LA.asv.dev.gi.trl.scores.txt"
    prepare_la()
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    prepare_la()  # what was there before goes
    assert not (tmp_path / "data/dev/asv_scores").exists()
    assert no_problems("data/dev")


def test_what_is_not_there_is_named(draw, la_dev):
    with pytest.raises(DataError, match=r"root: expected .*eval\.trl\.txt in it"):
        prepare("asvspoof2019_la", "eval", "root", "data/eval")


@pytest.fixture
def partialspoof(draw):
    """PartialSpoof's dev: WAV files of 0.1 s; returns a function that writes turns."""
    names = ["LA_D_1", "CON_D_1", "CON_D_2"]
    cm = "protocols/PartialSpoof_LA_cm_protocols/PartialSpoof.LA.cm.dev.trl.txt"
    lines = ["LA_1 LA_D_1 - - bonafide"]
    lines += [f"LA_1 {utt} - CON spoof" for utt in names[1:]]
    folder = draw("database/dev/con_wav", [], {f"database/{cm}": lines})
    for utt in names:
        soundfile.write(folder / f"{utt}.wav", np.zeros(1600), RATE)

    def write(*turns):
        lines = [
            f"SPEAKER {utt} 1 {start} {duration} <NA> <NA> {label} <NA> <NA>"
            for utt, start, duration, label in turns
        ]
        place = "database/dev/con_data/rttm_2cls_0sil_spoof"
        draw("database/dev/con_wav", [], {place: lines})

    return write


PARTS_OF_SPOOFS = [
    ("CON_D_1", 0.06, 0.01, "spoof"),  # touches the next but one
    ("CON_D_1", 0.0, 0.03, "spoof"),
    ("CON_D_1", 0.05, 0.01, "spoof"),
    ("CON_D_1", 0.03, 0.02, "bonafide"),
    ("CON_D_2", 0.04, 0.0601, "spoof"),
]


def test_partialspoof_has_wav_files_and_parts(partialspoof):
    partialspoof(*PARTS_OF_SPOOFS)
    prepare("partialspoof", "dev", "root", "data/dev")
    assert no_problems("data/dev")
    known = read_supervisions("data/dev")
    assert spoofed_parts(known["LA_D_1"]) == []
    expected = [(0.0, 0.03), (0.05, 0.07)]
    np.testing.assert_allclose(spoofed_parts(known["CON_D_1"]), expected)
    assert spoofed_parts(known["CON_D_2"]) == [(0.04, 0.1)]  # cut off at the end
    assert read_table("data/dev/utt2attack")["CON_D_1"] == "CON"


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        (PARTS_OF_SPOOFS[:2], "'CON_D_2': expected spoofed parts, got 0 parts"),
        (
            [*PARTS_OF_SPOOFS, ("LA_D_1", 0, 0.01, "spoof")],
            "'LA_D_1': expected nothing that is spoofed, got 1 parts",
        ),
        (
            [*PARTS_OF_SPOOFS, ("CON_D_1", 0.1, 0.01, "spoof")],
            "'CON_D_1': a turn is empty, or behind 0.100 s",
        ),
    ],
)
def test_turns_that_contradict_the_protocol_are_named(partialspoof, turns, message):
    partialspoof(*turns)
    with pytest.raises(DataError, match=message):
        prepare("partialspoof", "dev", "root", "data/dev")


def test_partialspoof_without_turns_is_refused(partialspoof):
    with pytest.raises(DataError, match="expected dev/con_data/rttm_2cls_0sil_spoof"):
        prepare("partialspoof", "dev", "root", "data/dev")


def test_a_score_that_is_no_number_is_named(la_dev, tmp_path):
    folder = tmp_path / "root" / f"{LA}_asv_scores"
    path = folder / "ASVspoof2019.LA.asv.dev.gi.trl.scores.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], f"{lines[1]}x", *lines[2:]]) + "\n")
    with pytest.raises(DataError, match=r"scores\.txt:2: expected a number, got '4"):
        prepare("asvspoof2019_la", "dev", "root", "data/dev")
    assert not (tmp_path / "data/dev").exists()
