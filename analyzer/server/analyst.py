# SPDX-License-Identifier: GPL-2.0-only
"""The thread that analyses.

In: folders with something due. Out: their work, one piece at a time, in the order in which it is due.
"""

from __future__ import annotations

import gc
import threading
import time
import traceback
from collections.abc import Callable

from analyzer.server.folder import Folder


class Analyst:
    """Works for all folders until it is told to stop."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._folders: list[Folder] = []
        self._closing: list[Folder] = []
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="analyst", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def add(self, folder: Folder) -> None:
        """Work for a folder too."""
        with self._changed:
            self._folders.append(folder)
            self._changed.notify()

    def drop(self, folder: Folder) -> None:
        """Work for a folder no more."""
        folder.stop()
        with self._changed:
            if folder in self._folders:
                self._folders.remove(folder)
                self._closing.append(folder)
            self._changed.notify()

    def wake(self) -> None:
        """Look again at what is due."""
        with self._changed:
            self._changed.notify()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Break off, and wait so long for the end."""
        with self._changed:
            self._stopped = True
            for folder in self._folders:
                folder.stop()
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        # What the program consists of stays: looking through it for cycles would take as long as an answer.
        gc.set_threshold(200_000, 50, 1000)
        while True:
            folder = self._next()
            if folder is None:
                break
            had_views = folder.views is not None
            try:
                folder.work()
            except Exception:
                self._log(traceback.format_exc())
            if not had_views and folder.views is not None:
                gc.collect()
                gc.freeze()
        for folder in (*self._folders, *self._closing):
            folder.close()

    def _next(self) -> Folder | None:
        """Wait for something to do; None at the end."""
        with self._changed:
            while not self._stopped:
                for folder in self._closing:
                    folder.close()
                self._closing.clear()
                due = min(
                    ((at, n) for n, one in enumerate(self._folders) if (at := one.due()) is not None), default=None
                )
                now = time.monotonic()
                if due is not None and due[0] <= now:
                    return self._folders[due[1]]
                self._changed.wait(None if due is None else due[0] - now)
        return None
