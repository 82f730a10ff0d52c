# SPDX-License-Identifier: GPL-2.0-only
"""A headless browser, driven over a pipe: no driver, no package, no port.

In: a file or a data URL. Out: what script evaluates to there, after real key presses, and every request that was made.

**Source:** https://chromedevtools.github.io/devtools-protocol/; with `--remote-debugging-pipe` the browser reads messages
from descriptor 3 and writes them to 4, each ended by a zero byte.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEADLINE_S = 60.0

#: (key, key code) of the keys that tests press
KEYS = {
    "ArrowDown": 40,
    "ArrowUp": 38,
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "End": 35,
    "Enter": 13,
    "Escape": 27,
    "Home": 36,
}


def find() -> str | None:
    """Return the browser that LOCKSPEC_CHROMIUM names, or one on the path."""
    named = os.environ.get("LOCKSPEC_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab."""

    def __init__(self, into: int, out: int) -> None:
        self._into = into
        self._out = out
        self._number = 0
        self._session: str | None = None
        self._received = b""
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Log", "Network", "Page", "Runtime"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Load `url` and wait until it is there."""
        self._events.clear()
        self._call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._receive()

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + DEADLINE_S
        while not self.evaluate(expression):
            assert time.monotonic() < until, f"never came true: {expression}"
            time.sleep(0.02)

    def write(self, text: str) -> None:
        """Type text into what has the focus."""
        self._call("Input.insertText", text=text)

    def press(self, *keys: str) -> None:
        """Press keys, named or by their character, one after the other."""
        for key in keys:
            if len(key) == 1:
                self._call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
                self._call("Input.dispatchKeyEvent", type="keyUp", key=key)
                continue
            code = KEYS[key]
            given = {"key": key, "code": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
            if key == "Enter":  # what it writes is what presses a button
                self._call("Input.dispatchKeyEvent", type="keyDown", text="\r", **given)
            else:
                self._call("Input.dispatchKeyEvent", type="rawKeyDown", **given)
            self._call("Input.dispatchKeyEvent", type="keyUp", **given)

    def emulate_colours(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def emulate_width(self, width: int, height: int = 900) -> None:
        """Make the window that big."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self) -> bytes:
        """Return what is to be seen, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def print(self) -> bytes:
        """Return the page as it comes out on paper, as PDF."""
        return base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"])

    def requests(self) -> list[str]:
        """Return the URLs that the page has asked for since it was opened."""
        self.evaluate("new Promise((done) => setTimeout(done, 100))")
        return [e["params"]["request"]["url"] for e in self._events if e["method"] == "Network.requestWillBeSent"]

    def errors(self) -> list[dict[str, Any]]:
        """Return exceptions that nobody caught, and what the console shows in red, since the page was opened."""
        return [event["params"] for event in self._events if _is_error(event)]

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._into, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        """Return the next message; events are kept too."""
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._out], [], [], DEADLINE_S)
            assert ready, "the browser says nothing"
            read = os.read(self._out, 1 << 20)
            assert read, "the browser has gone"
            self._received += read
        line, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        return message


def _is_error(event: dict[str, Any]) -> bool:
    parameters = event.get("params", {})
    return (
        event["method"] == "Runtime.exceptionThrown"
        or (event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"))
        or (event["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error")
    )


@contextmanager
def running(browser: str, profile: Path) -> Iterator[Page]:
    """Run `browser` with an empty profile."""
    read_there, into = _pipe()
    out, write_there = _pipe()
    command = [browser, "--headless", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    command += ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # it refuses to run as root otherwise
    with (profile / "log").open("wb") as log:
        actions = [(os.POSIX_SPAWN_DUP2, read_there, 3), (os.POSIX_SPAWN_DUP2, write_there, 4)]
        actions += [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
        process = os.posix_spawn(browser, command, os.environ, file_actions=actions, setsid=True)
    os.close(read_there)
    os.close(write_there)
    try:
        yield Page(into, out)
    finally:
        os.killpg(process, signal.SIGKILL)  # its own group: setsid above
        os.waitpid(process, 0)
        os.close(into)
        os.close(out)


def _pipe() -> tuple[int, int]:
    """Make a pipe whose descriptors are none of those that the browser is given."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 16) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
