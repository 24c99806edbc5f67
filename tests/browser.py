"""Pages in headless Chromium: what they say, how they look, what is wrong with them.

Chromium takes and gives JSON through two pipes, so that nothing else is needed: neither
Node nor Playwright.  axe-core, which looks for barriers to people with disabilities, is
a script that comes in a package of Python's.

Source: chromedevtools.github.io/devtools-protocol; `--remote-debugging-pipe`.
"""

import base64
import contextlib
import importlib.util
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("axe_playwright_python", "axe_core_python")  # the newer axe-core first
INSTALL = "apt-get install chromium; pip install --no-deps axe-playwright-python"
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-extensions", "--mute-audio"),
    "--remote-debugging-pipe",
)
PATIENCE_SEC = 30.0


def missing():
    """Name what is not installed here; empty if a browser can run."""
    found = [] if _program() else ["chromium"]
    return found + ([] if _axe() else ["axe-core"])


def _program():
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def _axe():
    """The file of axe-core, of the newest package that has it."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if (path := Path(folder, "axe.min.js")).is_file():
                return path
    return None


class Browser:
    """A headless Chromium with one page.

    Args:
        flags: more flags, e.g. of a microphone that plays a file.

    Attributes:
        errors: what the page's console has had of errors and warnings, and what it
            could not load, since `open`.
    """

    def __init__(self, *flags):
        self.errors = []
        self._number = 0
        self._unread = b""
        self._profile = tempfile.mkdtemp(prefix="browser.")
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def place_pipes():
            # Where Chromium looks for them; first out of each other's way.
            ends = [os.dup(to_browser), os.dup(from_browser)]
            for wanted, end in zip((3, 4), ends, strict=True):
                os.dup2(end, wanted)

        command = [_program(), *FLAGS, f"--user-data-dir={self._profile}", *flags]
        self._process = subprocess.Popen(
            [*command, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place_pipes,
            close_fds=False,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        how = {"targetId": target, "flatten": True}
        self._session = None
        self._session = self._call("Target.attachToTarget", **how)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, AssertionError):
            session, self._session = self._session, None
            self._call("Browser.close")
            self._session = session
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url, width=1280, height=900, theme="light"):
        """Open a page, or a file's path, in a window and theme; forget old errors."""
        if "://" not in str(url):
            url = Path(url).resolve().as_uri()
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self._call("Emulation.setDeviceMetricsOverride", mobile=False, **size)
        wanted = [{"name": "prefers-color-scheme", "value": theme}]
        self._call("Emulation.setEmulatedMedia", features=wanted)
        # From elsewhere, so that another fragment is another page.
        self._call("Page.navigate", url="about:blank")
        self.wait_for("location.href === 'about:blank'")
        self.errors = []
        failure = self._call("Page.navigate", url=str(url)).get("errorText")
        assert not failure, f"{url}: {failure}"
        self.wait_for(
            "location.href !== 'about:blank' && document.readyState === 'complete'"
        )

    def evaluate(self, script):
        """Return the value of an expression of JavaScript, a promise's when it is."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        found = self._call("Runtime.evaluate", expression=script, **options)
        if "exceptionDetails" in found:
            raise AssertionError(found["exceptionDetails"])
        return found["result"].get("value")

    def wait_for(self, script, seconds=PATIENCE_SEC):
        """Wait until an expression is true; return its value."""
        end = time.monotonic() + seconds
        while not (found := self.evaluate(script)):
            assert time.monotonic() < end, f"not within {seconds} s: {script}"
            time.sleep(0.05)
        return found

    def press(self, key, text=""):
        """Press a key, e.g. Tab, or Enter with the text of a new line."""
        code = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27}.get(key, 0)
        about = {"key": key, "windowsVirtualKeyCode": code, "text": text}
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, **about)

    def choose_files(self, selector, *paths):
        """Choose files in an <input type=file>, as a person does in the dialog."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)
        files = [str(Path(path).resolve()) for path in paths]
        self._call("DOM.setFileInputFiles", files=files, nodeId=node["nodeId"])

    def screenshot(self, path):
        """Write what the whole page looks like as PNG."""
        options = {"captureBeyondViewport": True, "format": "png"}
        data = self._call("Page.captureScreenshot", **options)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def axe(self):
        """Return what axe-core objects to: rule, and the elements, one text each."""
        self.evaluate(f"{_axe().read_text(encoding='utf-8')}; 0")
        found = self.evaluate("axe.run(document)")["violations"]
        return [f"{x['id']}: {y['html']}" for x in found for y in x["nodes"]]

    def overflow(self):
        """By how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return self.evaluate(f"{root}.scrollWidth - {root}.clientWidth")

    def _call(self, method, **params):
        """Call a method of the protocol; note the events before its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if getattr(self, "_session", None):
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer)

    def _receive(self):
        while b"\0" not in self._unread:
            ready = select.select([self._read], [], [], PATIENCE_SEC)[0]
            data = os.read(self._read, 1 << 20) if ready else b""
            assert data, "Chromium does not answer"
            self._unread += data
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        """Keep what is an error, or a warning, of the page."""
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                thrown = details.get("exception", {}).get("description")
                self.errors.append(thrown or details["text"])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning"):
                words = [x.get("value", x.get("description")) for x in params["args"]]
                self.errors.append(" ".join(map(str, words)))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                entry = params["entry"]
                self.errors.append(f"{entry['text']} {entry.get('url', '')}".strip())
            case "Network.loadingFailed" if not params.get("canceled"):
                self.errors.append(f"not loaded: {params['errorText']}")
