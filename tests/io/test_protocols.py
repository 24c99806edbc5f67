import pytest

from asdkit.base.errors import DataError
from asdkit.io.protocols import (
    ASV_LINES,
    CM_LINES,
    kind_of,
    read_asv_protocol,
    read_cm_protocol,
    read_enrollment,
)

# Lines as the challenges have them: one spoof, one bona fide, what they mean.
CM = {
    "asvspoof2019": (
        "LA_0079 LA_E_1000001 - A07 spoof",
        "LA_0080 LA_E_1000002 - - bonafide",
        ("LA_0079", "LA_E_1000001", "A07", "-", "-"),
    ),
    "asvspoof2021_la": (
        "LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval",
        "LA_0010 LA_E_9332882 none - bonafide bonafide notrim progress",
        ("LA_0009", "LA_E_9332881", "A07", "alaw", "eval"),
    ),
    "asvspoof2021_pa": (
        "PA_0010 PA_E_1000001 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval",
        "PA_0010 PA_E_1000002 R3 M3 d4 - - - - bonafide notrim eval",
        ("PA_0010", "PA_E_1000001", "s4c4", "-", "eval"),
    ),
    "asvspoof2021_df": (
        "LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress "
        "traditional_vocoder - - - -",
        "TEF2 DF_E_2000013 low_m4a vcc2020 - bonafide notrim eval bonafide - - - -",
        ("LA_0023", "DF_E_2000011", "A14", "nocodec", "progress"),
    ),
    "asvspoof5": (
        "T_4850 T_0000000000 F C01 2 - AC3 A05 spoof -",
        "T_4851\tT_0000000001\tM\t-\t-\t-\t-\tbonafide\tbonafide\t-",
        ("T_4850", "T_0000000000", "A05", "C01", "-"),
    ),
}
ASV = {
    "asvspoof2019": ("LA_0015 LA_E_1 A10 spoof", "LA_0015 LA_E_2 bonafide target"),
    "asvspoof2021_la": (
        "LA_0015 LA_E_1 gsm x A10 spoof notrim eval",
        "LA_0015 LA_E_2 gsm x bonafide nontarget notrim eval",
    ),
    "asvspoof5": ("D_0062 D_1 F A10 spoof", "D_0062 D_2 F bonafide target"),
}


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "protocol"
        path.write_text("".join(line + "\n" for line in lines))
        return path

    return write


@pytest.mark.parametrize("kind", CM)
def test_every_cm_protocol_is_known_by_its_lines(write, kind):
    spoof, bonafide, meaning = CM[kind]
    path = write(spoof, bonafide)
    assert kind_of(path, CM_LINES, kind.partition("_")[0]) == kind
    found = read_cm_protocol(path, kind)
    first = found.spk[0], found.utt[0], found.attack[0], found.codec[0], found.subset[0]
    assert first == meaning
    assert found.attack[1] == "bonafide"
    assert found.key == ["spoof", "bonafide"]
    assert found.is_bonafide.tolist() == [False, True]
    assert list(found.columns) == CM_LINES[kind].split()


@pytest.mark.parametrize("kind", ASV)
def test_every_asv_protocol_is_known_by_its_lines(write, kind):
    path = write(*ASV[kind])
    assert kind_of(path, ASV_LINES, kind.partition("_")[0]) == kind
    found = read_asv_protocol(path, kind)
    assert found.attack == ["A10", "bonafide"]
    assert found.is_bonafide.tolist() == [False, True]


def test_our_asv_trials_leave_the_attack_to_others(write):
    found = read_asv_protocol(write("a x spoof", "a y target"), "asdkit")
    assert found.attack == ["-", "bonafide"]


def test_physical_access_has_an_environment_in_the_same_line(write):
    path = write("PA_0079 PA_E_0000001 aaa AA spoof", "PA_0079 PA_E_2 abc - bonafide")
    found = read_cm_protocol(path, "asvspoof2019")
    assert found.columns["environment"] == ["aaa", "abc"]
    assert found.attack == ["AA", "bonafide"]


def test_2021_pa_may_know_less_of_a_replay_and_more_of_bonafide_speech(write):
    """The hidden subset is simulated; only the key tells the class."""
    found = read_cm_protocol(
        write(
            "PA_0010 PA_E_1 R3 M3 d4 - - - - spoof notrim hidden",
            "PA_0010 PA_E_2 R3 M3 d4 r1 m1 s4 - spoof notrim hidden",
            "PA_0010 PA_E_3 R3 M3 D4 r1 m1 s4 c4 bonafide notrim hidden",
        ),
        "asvspoof2021_pa",
    )
    assert found.attack == ["-", "s4", "bonafide"]


def test_vocoders_and_rooms_are_columns(write):
    found = read_cm_protocol(write(CM["asvspoof2021_df"][0]), "asvspoof2021_df")
    assert found.columns["vocoder"] == ["traditional_vocoder"]
    found = read_cm_protocol(write(CM["asvspoof2021_pa"][0]), "asvspoof2021_pa")
    assert found.columns["asv_room"] == ["R3"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "LA_0079 LA_E_2 A07 spoof",
            ":2: expected 5 fields, '<spk> <utt> <environment>",
        ),
        (
            "LA_0079 LA_E_2 - A07 fake",
            ":2: expected the key bonafide or spoof, got 'fak",
        ),
        ("LA_0079 LA_E_2 - A07 bonafide", ":2: expected no attack with the key 'bonaf"),
        (
            "LA_0079 LA_E_2 - - spoof",
            ":2: expected an attack with the key 'spoof', got",
        ),
        ("LA_0079 LA_E_1 - A07 spoof", ":2: 'LA_E_1' appears a second time"),
    ],
)
def test_a_bad_line_is_named(write, line, problem):
    path = write("LA_0079 LA_E_1 - - bonafide", line)
    with pytest.raises(DataError, match=problem):
        read_cm_protocol(path, "asvspoof2019")


def test_the_other_protocol_is_recognized(write):
    path = write("D_0062 D_1 F - - - AC3 A05 target -")
    with pytest.raises(DataError, match="expected the key bonafide or spoof") as caught:
        read_cm_protocol(path, "asvspoof5")
    assert caught.value.hint == "this looks like the ASV protocol"


def test_an_unknown_number_of_fields_is_told_with_the_known_ones(write):
    with pytest.raises(DataError, match=r"expected 8 \(asvspoof2021_la\), 12 .* got 1"):
        kind_of(write("LA_E_9332881"), CM_LINES, "asvspoof2021")


def test_an_empty_protocol_is_refused(write):
    with pytest.raises(DataError, match="got an empty file"):
        read_cm_protocol(write(), "asvspoof2019")


def test_enrollment_lists_have_commas(write):
    found = read_enrollment(write("LA_0560 LA_E_A1,LA_E_A2", "LA_0561 LA_E_A3"))
    assert found == {"LA_0560": ["LA_E_A1", "LA_E_A2"], "LA_0561": ["LA_E_A3"]}
    with pytest.raises(DataError, match=":1: expected '<spk> <utt>,<utt>"):
        read_enrollment(write("LA_0560 LA_E_A1 LA_E_A2"))
