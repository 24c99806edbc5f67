"""The pages of a server in a browser: usable by keyboard, on a phone, in the dark."""

import os

import pytest

from asdkit.inference.bundle import Bundle

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
SHOTS = os.environ.get("ASDKIT_SCREENSHOTS")  # a folder, for those who want to look


def url(server, path=""):
    return f"http://127.0.0.1:{server.port}/{path}#token={server.token}"


def choose_two(page, folder, a=0, b=2):
    page.choose_files("#file-0", folder / f"{a}.wav")
    page.choose_files("#file-1", folder / f"{b}.wav")
    page.wait_for("!document.getElementById('audio-1').hidden")


def shown(page, selector):
    return page.evaluate(f"document.querySelector('{selector}').innerText")


def wait_for_answer(page):
    page.wait_for(
        "!document.getElementById('result').hidden"
        " || !document.getElementById('problem').hidden"
    )
    assert shown(page, "#problem") == ""


def test_two_files_are_compared_as_the_library_does(browser, server, small_bundle):
    page = browser()
    expected = Bundle.open(small_bundle / "model").verify(
        small_bundle / "0.wav", small_bundle / "2.wav"
    )
    for width, theme in SIZES:
        page.open(url(server), width, theme=theme)
        page.wait_for("document.getElementById('model').innerText.startsWith('Model')")
        assert page.axe() == []
        choose_two(page, small_bundle)
        page.evaluate("document.getElementById('compare').click()")
        wait_for_answer(page)
        assert shown(page, "#sentence") == expected.sentence
        numbers = shown(page, "#numbers")
        assert f"{float(expected.score):.2f}" in numbers
        assert "recording 2 is" in numbers
        assert page.axe() == []
        assert page.overflow() == 0
        assert page.errors == []
        if SHOTS:
            page.screenshot(f"{SHOTS}/compare_{width}_{theme}.png")


def test_one_recording_is_checked_for_spoofing(browser, server, small_bundle):
    page = browser()
    page.open(url(server))
    page.wait_for("!document.getElementById('detect-0').hidden")
    page.choose_files("#file-0", small_bundle / "4.wav")
    page.evaluate("document.getElementById('detect-0').click()")
    wait_for_answer(page)
    verdict = Bundle.open(small_bundle / "model").detect_voice(small_bundle / "4.wav")
    assert shown(page, "#sentence") == verdict.sentence
    assert page.errors == []


def test_a_microphone_is_recorded_and_compared(browser, server, small_bundle):
    """Chromium plays a file as its microphone, again and again."""
    sound = small_bundle / "4.wav"
    page = browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    )
    page.open(url(server))
    page.wait_for("!document.getElementById('detect-0').hidden")
    for n in (0, 1):
        page.evaluate(f"document.getElementById('record-{n}').click()")
        pressed = f"document.getElementById('record-{n}').getAttribute('aria-pressed')"
        page.wait_for(f"{pressed} === 'true'")
        state = f"document.getElementById('state-{n}').innerText"
        page.wait_for(f"/ [2-9] s/.test({state})")
        page.evaluate(f"document.getElementById('record-{n}').click()")
        page.wait_for(f"{state}.startsWith('recording-{n + 1}.wav')")
    head = page.evaluate(
        "recordings[0].blob.slice(0, 44).arrayBuffer()"
        ".then((x) => Array.from(new Uint8Array(x)))"
    )
    assert bytes(head[:4] + head[8:16]) == b"RIFFWAVEfmt "
    page.evaluate("document.getElementById('compare').click()")
    wait_for_answer(page)
    assert "log-likelihood ratio" in shown(page, "#sentence")
    assert "speech found\n" in shown(page, "#numbers")
    assert page.errors == []


def test_keys_are_enough(browser, server, small_bundle):
    page = browser()
    page.open(url(server))
    page.wait_for("!document.getElementById('detect-1').hidden")
    choose_two(page, small_bundle)
    reached = []
    for _ in range(40):
        page.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        if reached[-1] == "compare":
            break
    assert [x for x in reached if x.startswith(("file", "record", "detect"))] == [
        *("file-0", "record-0", "detect-0"),
        *("file-1", "record-1", "detect-1"),
    ]
    page.press("Enter", "\r")
    wait_for_answer(page)


def test_what_goes_wrong_is_said(browser, server, small_bundle, tmp_path):
    page = browser()
    page.open(url(server))
    page.wait_for("!document.getElementById('detect-0').hidden")
    page.evaluate("document.getElementById('compare').click()")
    page.wait_for("!document.getElementById('problem').hidden")
    assert shown(page, "#problem") == "Choose or record recording 1 first."
    bad = tmp_path / "<img src=x onerror=alert(1)>.wav"
    bad.write_bytes(b"RIFF nothing")
    page.choose_files("#file-0", bad)
    page.evaluate("document.getElementById('detect-0').click()")
    page.wait_for("document.getElementById('problem').innerText.includes('cannot')")
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.axe() == []


def test_a_wrong_token_can_be_mended(browser, server):
    page = browser()
    page.open(f"http://127.0.0.1:{server.port}/#token=wrong", 390)
    page.wait_for("!document.getElementById('access').hidden")
    assert "token" in shown(page, "#problem")
    assert page.axe() == []
    page.evaluate(f"document.getElementById('token').value = '{server.token}'")
    page.press("Enter", "\r")
    page.wait_for("document.getElementById('access').hidden")
    assert shown(page, "#problem") == ""


def test_the_interface_is_described(browser, server):
    page = browser()
    for width, theme in SIZES[1:3]:
        page.open(url(server, "docs"), width, theme=theme)
        page.wait_for("document.querySelectorAll('section').length >= 7")
        text = shown(page, "main")
        assert "POST /verify" in text
        assert "-F enroll=@enroll.wav -F test=@test.wav" in text
        assert (page.axe(), page.overflow(), page.errors) == ([], 0, [])
        if SHOTS:
            page.screenshot(f"{SHOTS}/docs_{width}_{theme}.png")
