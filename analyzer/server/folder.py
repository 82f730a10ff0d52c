# SPDX-License-Identifier: GPL-2.0-only
"""One tree that an editor works on: its buffers, the program in memory, and what is to be done next.

In: documents opened, changed, saved, closed. Out: answers for the editor, by way of a `Client`.

**Invariant:** `note_…` methods run in the thread that talks and return at once; `work` runs in the one that analyses.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from analyzer.base.errors import LockspecError
from analyzer.base.gap import Gap
from analyzer.findings.model import Report
from analyzer.pipeline.live.program import Answer, LiveProgram
from analyzer.pipeline.live.views import Views
from analyzer.pipeline.options import CheckOptions
from analyzer.server.texts import Buffer
from analyzer.source.names import FileNames

#: between the last key and the look at a function; an editor sends several changes for one command
DEBOUNCE_S = 0.03
#: between the last key and a look at everything, where a header changed
QUIET_S = 1.0
#: the same where the answer came from memory: to confirm it
CONFIRM_S = 4.0


class CancelledError(Exception):
    """What is being worked on is wanted no more."""


class Client(Protocol):
    """The editor, as a folder sees it; its methods may be called from any thread."""

    def publish(self, folder: Folder, report: Report, broken: tuple[Gap, ...], buffers: Mapping[str, Buffer]) -> None:
        """Show a report, made of these buffers."""

    def log(self, text: str) -> None:
        """Write a line into the editor's log."""

    def warn(self, text: str) -> None:
        """Tell the user."""

    def begin(self, title: str, stop: Callable[[], None]) -> Work:
        """Show that something takes time; `stop` is called where the user has enough."""


class Work(Protocol):
    """Something that takes time, as the user sees it."""

    def report(self, text: str, percentage: int | None) -> None:
        """Tell how far it has come."""

    def end(self, text: str) -> None:
        """Tell that it is over."""


class Folder:
    """One tree."""

    def __init__(self, options: CheckOptions, client: Client, wake: Callable[[], None]) -> None:
        assert options.tree is not None
        self.tree = options.tree
        self.options = options
        self.names = FileNames(options.tree, options.build)
        self.buffers: dict[str, Buffer] = {}
        self.program: LiveProgram | None = None
        #: of the last answer
        self.views: Views | None = None
        self._client = client
        self._wake = wake
        #: when to look at a file's change, and at everything; seconds of the monotonic clock
        self._changes: dict[str, float] = {}
        self._whole: float | None = None
        self._cancelled = threading.Event()
        self._is_at_work = False
        self._told = ""
        self._broken: tuple[Gap, ...] = ()

    def name_of(self, path: Path) -> str | None:
        """Return what a file is called in this tree; None for one outside."""
        name = self.names.name(str(path), str(self.tree))
        if name.startswith("/"):
            name = self.names.name(str(path.resolve()), str(self.tree))
        return None if name.startswith("/") else name

    def note_text(self, name: str, buffer: Buffer, *, is_new: bool) -> None:
        """Note that a document was opened, or changed."""
        self.buffers = {**self.buffers, name: buffer}
        now = time.monotonic()
        self._changes[name] = now + (0 if is_new else DEBOUNCE_S)
        if self.views is None:
            if not self._is_at_work:
                self._whole = now
        else:
            self._cancelled.set()
            if not is_new:
                self._whole = now + (CONFIRM_S if self._is_unit(name) else QUIET_S)
        self._wake()

    def _is_unit(self, name: str) -> bool:
        return self.program is not None and name in self.program.unit_names

    def note_files(self, closed: str = "") -> None:
        """Note that files were saved or changed on disk, or that a document was closed."""
        if closed:
            self.buffers = {name: buffer for name, buffer in self.buffers.items() if name != closed}
            self._changes.pop(closed, None)
        if self.views is not None:
            self._cancelled.set()
        self._whole = time.monotonic()
        self._wake()

    def due(self) -> float | None:
        """Return when there is something to do; None where there is nothing."""
        whole = self._whole
        if self.views is None:
            return whole
        return min([*self._changes.values(), *([whole] if whole is not None else [])], default=None)

    def stop(self) -> None:
        """Break off what is being worked on."""
        self._cancelled.set()

    def close(self) -> None:
        """Let go of files; in the thread that analyses."""
        if self.program is not None:
            self.program.close()

    def work(self) -> None:
        """Do what is due; never raises for what the user can mend."""
        self._cancelled.clear()
        self._is_at_work = True
        now = time.monotonic()
        changes = list(self._changes.items()) if self.views is not None else []
        try:
            for name in [name for name, due in changes if due <= now]:
                due = self._changes.pop(name, now)
                try:
                    self._change(name)
                except CancelledError:
                    self._changes.setdefault(name, due)
                    raise
            if self._whole is not None and self._whole <= now and not (self._changes and self.views):
                self._whole = None
                self._everything()
        except CancelledError:
            # whoever cancelled it has noted what is to be done now
            if not self._changes and self._whole is None and self.views is not None:
                self._whole = time.monotonic() + QUIET_S
        except LockspecError as error:
            self._fail(str(error))
        finally:
            self._is_at_work = False

    def _fail(self, text: str) -> None:
        """Tell what the user must mend, once."""
        if text != self._told:
            self._told = text
            self._client.warn(text)
        else:
            self._client.log(text)

    def _change(self, name: str) -> None:
        buffers = self.buffers
        buffer = buffers.get(name)
        if buffer is None or self.program is None or name not in self.program.unit_names:
            return
        if not self.program.is_ready(name):
            # opened just now: what is in memory is made of the files, and of the other buffers
            base = buffer.on_disk()
            base = buffer.text if base is None else base
            self.program.prepare(name, base, _texts({n: b for n, b in self._unsaved(buffers).items() if n != name}))
        began = _now()

        def meanwhile(report: Report) -> None:
            self._client.publish(self, report, (), buffers)

        answer = self.program.change(name, buffer.text, _Stoppable(self._cancelled), meanwhile)
        if answer is None:
            self._whole = time.monotonic()
            return
        self._answer(answer, buffers, began)

    def _everything(self) -> None:
        """Look at all units."""
        buffers = self.buffers
        unsaved = self._unsaved(buffers)
        began = _now()
        if self.program is None:
            self.program = LiveProgram(self.options)
        stopped = self._cancelled.set
        work = self._client.begin("lockspec", stopped) if self.views is None else None
        try:
            answer = self.program.whole(_texts(unsaved), _Stoppable(self._cancelled, work), saved=not unsaved)
        except (CancelledError, LockspecError) as error:
            if work is not None:
                work.end("stopped" if isinstance(error, CancelledError) else "nothing could be analysed")
            raise
        if work is not None:
            work.end(f"{answer.report.functions_analysed} functions")
        self._told = ""
        self._answer(answer, buffers, began)
        for name, buffer in buffers.items():
            if self._changes or self._cancelled.is_set():
                break
            self.program.prepare(name, buffer.text, _texts(unsaved))

    def line_now(self, name: str, line: int) -> int:
        """Return where a line of the last text that parsed stands in the buffer."""
        buffer = self.buffers.get(name)
        return line if buffer is None or self.program is None else self.program.line_now(name, line, buffer.text)

    def _answer(self, answer: Answer, buffers: Mapping[str, Buffer], began: _Now) -> None:
        assert self.program is not None
        if answer.broken and answer.broken != self._broken:
            self._client.log(f"{answer.broken[0].location}: {answer.broken[0].text}; findings are of the text before")
        self._broken = answer.broken
        if self.program.generation is not None and not answer.broken:
            self.views = Views(self.program.generation)
        self._client.publish(self, answer.report, answer.broken, buffers)
        what = f"{answer.function}()" if answer.function else answer.how
        wall_s, processor_s = (now - then for now, then in zip(_now(), began, strict=True))
        self._client.log(
            f"{what}: {len(answer.report.findings)} findings in {1000 * wall_s:.0f} ms, {1000 * processor_s:.0f} ms of a core "
            f"({answer.how}: {answer.n_lowered} functions lowered, {answer.n_asked} looked at, {answer.n_analysed} analysed)"
        )

    def _unsaved(self, buffers: Mapping[str, Buffer]) -> dict[str, Buffer]:
        """Return the buffers that differ from their files."""
        return {name: one for name, one in buffers.items() if one.path.is_file() and not one.is_saved()}


#: what a clock and the processor tell, in seconds
_Now = tuple[float, float]


def _now() -> _Now:
    # what the compiler took for a function counts
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), time.process_time() + others.ru_utime + others.ru_stime


class _Stoppable:
    """A `Progress` that shows what it is told, and ends the work where it is wanted no more."""

    def __init__(self, cancelled: threading.Event, work: Work | None = None) -> None:
        self._cancelled = cancelled
        self._work = work
        self._stage = ""
        self._total = self._done = 0
        self._shown = 0.0

    def begin(self, stage: str, total: int) -> None:
        """Start a stage."""
        self._stage, self._total, self._done, self._shown = stage, total, 0, 0.0
        self.advance(0)

    def advance(self, parts: int = 1) -> None:
        """Count parts; raise `CancelledError` where somebody has enough."""
        if self._cancelled.is_set():
            raise CancelledError
        self._done += parts
        now = time.monotonic()
        if self._work is not None and now - self._shown > 0.25:
            self._shown = now
            percentage = 100 * self._done // self._total if self._total else None
            self._work.report(f"{self._stage} {self._done}/{self._total}", percentage)


def _texts(buffers: Mapping[str, Buffer]) -> dict[str, str]:
    return {name: buffer.text for name, buffer in buffers.items()}
