# SPDX-License-Identifier: GPL-2.0-only
"""The editor, as folders see it.

In: reports, words, work that takes time. Out: notifications and requests of the protocol.

**Invariant:** everything is sent from the thread that talks, in the order in which it was asked for.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import PositionCodec

from analyzer.base.gap import Gap
from analyzer.findings.model import Report
from analyzer.pipeline.live.program import BREAKING
from analyzer.server.diagnostics import Diagnoser, uri_of
from analyzer.server.folder import Folder
from analyzer.server.texts import Buffer, Texts


class Editor:
    """A `Client` at the other end of a stream."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self._loop: asyncio.AbstractEventLoop | None = None
        #: documents that show diagnostics, by folder
        self._shown: dict[Path, set[str]] = {}
        self._tokens = itertools.count(1)
        self._stops: dict[int | str, Callable[[], None]] = {}
        self._explained: Path | None = None

    @property
    def codec(self) -> PositionCodec:
        """Return how the editor counts characters."""
        return self._server.workspace.position_codec

    def begin_session(self, watched: Sequence[str]) -> None:
        """Note the loop that talks, and ask to be told of files that change."""
        self._loop = asyncio.get_running_loop()
        workspace = self._server.client_capabilities.workspace
        if workspace and workspace.did_change_watched_files and workspace.did_change_watched_files.dynamic_registration:
            watchers = [types.FileSystemWatcher(glob_pattern=glob) for glob in watched]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            self._server.client_register_capability(
                types.RegistrationParams([types.Registration("watched", method, options)])
            )

    def publish(self, folder: Folder, report: Report, broken: tuple[Gap, ...], buffers: Mapping[str, Buffer]) -> None:
        """Show a report, made of these buffers, and take away what it does not tell any more."""
        texts = Texts(folder.tree, buffers)
        line_now = folder.line_now if broken else lambda _, line: line
        gaps = broken or tuple(gap for gap in report.gaps if gap.location.file in buffers and gap.kind in BREAKING)
        found = Diagnoser(texts, self.codec, line_now).diagnostics(report.findings, gaps)
        by_uri = {}
        for name, diagnostics in found.items():
            buffer = buffers.get(name)
            by_uri[buffer.uri if buffer else uri_of(texts.path(name))] = diagnostics
        versions = {buffer.uri: buffer.version for buffer in buffers.values()}
        self._soon(lambda: self._publish(folder, by_uri, versions))

    def _publish(
        self, folder: Folder, found: Mapping[str, list[types.Diagnostic]], versions: Mapping[str, int]
    ) -> None:
        current = {buffer.uri: buffer.version for buffer in folder.buffers.values()}
        shown = self._shown.setdefault(folder.tree, set())
        for uri in sorted({*found, *shown, *versions}):
            if versions.get(uri) != current.get(uri):
                # the text is another by now; what is told of it comes in a moment
                continue
            diagnostics = found.get(uri, [])
            if diagnostics:
                shown.add(uri)
            else:
                shown.discard(uri)
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, diagnostics, versions.get(uri))
            )
        workspace = self._server.client_capabilities.workspace
        if workspace and workspace.code_lens and workspace.code_lens.refresh_support:
            self._server.workspace_code_lens_refresh(None)

    def clear(self, folder: Folder) -> None:
        """Take away all diagnostics of a folder."""
        for uri in sorted(self._shown.pop(folder.tree, set())):
            self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def log(self, text: str) -> None:
        """Write into the editor's log."""
        self._message(types.MessageType.Info, text, show=False)

    def warn(self, text: str) -> None:
        """Tell the user."""
        self._message(types.MessageType.Warning, text, show=True)

    def _message(self, kind: types.MessageType, text: str, *, show: bool) -> None:
        if self._loop is None:
            print(text, file=sys.stderr)  # noqa: T201 - there is nobody to talk to yet
            return
        if show:
            self._soon(lambda: self._server.window_show_message(types.ShowMessageParams(kind, text)))
        self._soon(lambda: self._server.window_log_message(types.LogMessageParams(kind, text)))

    def begin(self, title: str, stop: Callable[[], None]) -> _Shown:
        """Show that something takes time."""
        token = f"lockspec-{next(self._tokens)}"
        self._stops[token] = stop
        shown = _Shown(self, token)
        window = self._server.client_capabilities.window
        if window and window.work_done_progress:
            self._soon(lambda: self._create(shown, title))
        return shown

    def _create(self, shown: _Shown, title: str) -> None:
        def created(_: object) -> None:
            shown.is_created = True
            self.progress(shown, types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0))

        self._server.protocol.send_request(
            types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.WorkDoneProgressCreateParams(shown.token), created
        )

    def progress(
        self,
        shown: _Shown,
        value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd,
    ) -> None:
        """Send one step of something that takes time, if the editor shows it."""

        def send() -> None:
            if shown.is_created and not shown.is_over:
                shown.is_over = isinstance(value, types.WorkDoneProgressEnd)
                self._server.protocol.notify(types.PROGRESS, types.ProgressParams(shown.token, value))

        if isinstance(value, types.WorkDoneProgressEnd):
            self._stops.pop(shown.token, None)
        self._soon(send)

    def cancel(self, token: int | str) -> None:
        """Stop what the user has enough of."""
        stop = self._stops.get(token)
        if stop is not None:
            stop()

    def show(self, target: str, text: str) -> None:
        """Open a text in a window of its own, where the editor can."""
        window = self._server.client_capabilities.window
        if not (window and window.show_document and window.show_document.support):
            return
        if self._explained is None:
            self._explained = Path(tempfile.mkdtemp(prefix="lockspec-explain-"))
        file = self._explained / f"{target.replace('/', '-').removesuffix('()')}.txt"
        file.write_text(text, "utf-8", "replace")
        params = types.ShowDocumentParams(file.as_uri(), take_focus=True)
        self._soon(lambda: self._server.window_show_document(params))

    def _soon(self, send: Callable[[], object]) -> None:
        """Have `send` called by the thread that talks."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(send)


class _Shown:
    """Something that takes time, as it is shown."""

    def __init__(self, editor: Editor, token: str) -> None:
        self.token = token
        self.is_created = False
        self.is_over = False
        self._editor = editor

    def report(self, text: str, percentage: int | None) -> None:
        """Tell how far it has come."""
        self._editor.progress(self, types.WorkDoneProgressReport(message=text, percentage=percentage))

    def end(self, text: str) -> None:
        """Tell that it is over."""
        self._editor.progress(self, types.WorkDoneProgressEnd(message=text))
