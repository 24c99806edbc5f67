"""The answers of a server, without the server: those of the library, or a refusal."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from asdkit.base.errors import DataError
from asdkit.inference.bundle import Bundle
from asdkit.inference.service import Service
from asdkit.inference.uploads import Limits, Refusal

pytestmark = pytest.mark.slow  # a bundle is made first


@pytest.fixture
def service(small_bundle, tmp_path):
    made = Service(small_bundle / "model", tmp_path / "p.sqlite", Limits(max_sec=4))
    yield made
    made.close()


def sound(folder, n, name=None):
    path = folder / f"{n}.wav"
    return name or path.name, path.read_bytes()


def same(found, expected):
    """Numbers as near as batches of another size may make them; all else equal."""
    if isinstance(found, dict):
        assert found.keys() == expected.keys()
        return all(same(found[key], expected[key]) for key in found)
    if isinstance(found, float) and not isinstance(expected, str):
        return found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    return isinstance(found, str) or found == expected


def test_it_answers_as_the_library_does(service, small_bundle):
    bundle = Bundle.open(small_bundle / "model")
    paths = [small_bundle / f"{n}.wav" for n in (0, 2, 7)]
    enroll = [sound(small_bundle, n) for n in (0, 2)]
    found = service.verify(enroll, sound(small_bundle, 7))
    assert same(found, bundle.verify(*paths).as_dict())
    found = service.detect(sound(small_bundle, 7))
    assert same(found, bundle.detect_voice(paths[2]).as_dict())


def test_people_come_and_go(service, small_bundle):
    with pytest.raises(Refusal, match="no one is enrolled") as caught:
        service.identify(sound(small_bundle, 0))
    assert caught.value.status == 409
    assert service.list_profiles() == {"profiles": []}
    audios = [sound(small_bundle, 0), sound(small_bundle, 2)]
    assert service.enroll("ann/../x", audios)["enrollments"] == 2
    assert service.identify(sound(small_bundle, 0))["ranking"][0]["name"] == "ann/../x"
    assert len(service.list_profiles()["profiles"]) == 2
    assert service.remove("ann/../x") == {"name": "ann/../x", "removed": 2}
    with pytest.raises(Refusal) as caught:
        service.remove("ann/../x")
    assert caught.value.status == 404


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_a_name_is_needed(service, small_bundle, name):
    with pytest.raises(Refusal, match="printable letters"):
        service.enroll(name, [sound(small_bundle, 0)])
    assert service.people.profiles.is_new


def test_a_bad_file_is_the_clients_fault_and_enrolls_no_one(service, small_bundle):
    bad = [("bad.wav", b"RIFF"), sound(small_bundle, 4), ("e.wav", b"")]
    for file in bad:
        good = sound(small_bundle, 0)
        for ask, *args in (
            (service.detect, file),
            (service.verify, [good], file),
            (service.enroll, "ann", [good, file]),
        ):
            with pytest.raises(Refusal, match=file[0]) as caught:
                ask(*args)
            assert caught.value.status in (413, 422)
    assert service.people.profiles.is_new


def test_what_is_wrong_here_is_not_the_clients_fault(service, small_bundle):
    service.enroll("ann", [sound(small_bundle, 0)])
    service.people.profiles.path.write_bytes(b"nonsense" * 200)
    with pytest.raises(DataError) as caught:
        service.enroll("ann", [sound(small_bundle, 0)])
    assert not isinstance(caught.value, Refusal)


def test_a_server_without_profiles_says_so(small_bundle):
    service = Service(small_bundle / "model")
    with pytest.raises(Refusal) as caught:
        service.enroll("ann", [sound(small_bundle, 0)])
    assert caught.value.status == 501
    assert not service.about()["keeps_profiles"]
    service.close()


def test_a_damaged_file_of_speakers_is_found_at_the_start(small_bundle, tmp_path):
    (tmp_path / "x").write_text("no base")
    with pytest.raises(DataError, match="not a file of profiles"):
        Service(small_bundle / "model", tmp_path / "x")


def test_many_enroll_identify_and_remove_at_a_time(service, small_bundle):
    """Also while the file is being made: nobody sees a half of it."""
    files = [sound(small_bundle, n) for n in (0, 1, 2, 3)]

    def live(n):
        service.enroll(f"p{n}", [files[n % 4], files[(n + 1) % 4]])
        ranking = service.identify(files[n % 4])["ranking"]
        assert f"p{n}" in [x["name"] for x in ranking]
        if n % 2:
            assert service.remove(f"p{n}")["removed"] == 2

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(live, range(32)):
            pass
    names = [x["name"] for x in service.list_profiles()["profiles"]]
    assert sorted(names) == sorted(f"p{n}" for n in range(0, 32, 2) for _ in range(2))
