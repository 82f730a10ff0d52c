# SPDX-License-Identifier: GPL-2.0-only
"""The protocol: what an editor may send, and what it gets.

In: a stream of messages. Out: the exit status that the protocol asks for.

**Invariant:** whatever is wrong with the tree is told in words; no request fails for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from analyzer import __version__
from analyzer.base.errors import LockspecError
from analyzer.findings.lock import LockExplanation
from analyzer.pipeline.explain import explain
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import Style, render_explanation, render_lock
from analyzer.server.analyst import Analyst
from analyzer.server.editor import Editor
from analyzer.server.folder import Folder
from analyzer.server.positions import word_at
from analyzer.server.settings import Settings, options_for, read_settings, tree_of
from analyzer.server.texts import Buffer, Texts

EXPLAIN = "lockspec.explain"
#: what a run reads: the editor is asked to tell when one changes
_WATCHED = ("**/*.[chS]", "**/compile_commands.json", "**/*.yaml")


class Service:
    """One conversation with an editor."""

    def __init__(self, options: CheckOptions) -> None:
        self._given = options
        self._settings = Settings()
        self._server = LanguageServer("lockspec", __version__)
        self._editor = Editor(self._server)
        self._analyst = Analyst(self._editor.log)
        self._folders: list[Folder] = []
        self._is_shut_down = False
        self._asked: types.InitializeParams | None = None
        self._add_features()

    def run(self, stdin: BinaryIO, stdout: BinaryIO) -> int:
        """Talk until the editor leaves; return 0 if it said goodbye first, as the protocol wants it, else 1."""
        self._analyst.start()
        try:
            self._server.start_io(stdin, stdout)
        finally:
            self._analyst.stop()
        return 0 if self._is_shut_down else 1

    def _add_features(self) -> None:
        handlers: dict[str, Callable[..., None]] = {
            types.INITIALIZE: self._initialize,
            types.INITIALIZED: self._initialized,
            types.SHUTDOWN: self._shut_down,
            types.TEXT_DOCUMENT_DID_OPEN: self._opened,
            types.TEXT_DOCUMENT_DID_CHANGE: self._changed,
            types.TEXT_DOCUMENT_DID_SAVE: self._saved,
            types.TEXT_DOCUMENT_DID_CLOSE: self._closed,
            types.WORKSPACE_DID_CHANGE_WATCHED_FILES: self._files_changed,
            types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: self._folders_changed,
            types.WINDOW_WORK_DONE_PROGRESS_CANCEL: self._stopped,
        }
        for method, handler in handlers.items():
            # pygls writes marks on what it is given, which a method does not take
            self._server.feature(method)(partial(handler))
        self._add_slow_features()

    def _add_slow_features(self) -> None:
        """Add what is answered in threads of their own; functions, since pygls marks them."""
        server = self._server

        @server.feature(types.TEXT_DOCUMENT_HOVER)
        @server.thread()
        def hover(params: types.HoverParams) -> types.Hover | None:
            return self._hover(params)

        @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
        @server.thread()
        def lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
            return self._lenses(params)

        @server.command(EXPLAIN)
        @server.thread()
        def explained(target: str, uri: str = "") -> str:
            return self._explain(target, uri)

    def _initialize(self, params: types.InitializeParams) -> None:
        self._asked = params

    def _initialized(self, _: types.InitializedParams) -> None:
        asked = self._asked
        assert asked is not None
        self._editor.begin_session(_WATCHED)
        try:
            self._settings = read_settings(asked.initialization_options)
        except LockspecError as error:
            self._editor.warn(str(error))
        paths = [path for folder in asked.workspace_folders or () if (path := _path(folder.uri))]
        if not paths and asked.root_uri and (path := _path(asked.root_uri)):
            paths = [path]
        if self._given.tree is not None:
            paths = [self._given.tree.absolute()]
        for path in paths:
            self._add_folder(path)

    def _shut_down(self, _: None) -> None:
        self._is_shut_down = True
        self._analyst.stop(0)

    def _add_folder(self, path: Path) -> Folder | None:
        tree = self._given.tree.absolute() if self._given.tree is not None else tree_of(path)
        known = next((folder for folder in self._folders if folder.tree == tree), None)
        if known is not None:
            return known
        folder = Folder(options_for(self._given, tree, self._settings), self._editor, self._analyst.wake)
        self._folders.append(folder)
        self._analyst.add(folder)
        folder.note_files()
        return folder

    def _folders_changed(self, params: types.DidChangeWorkspaceFoldersParams) -> None:
        for removed in params.event.removed:
            path = _path(removed.uri)
            for folder in [one for one in self._folders if path is not None and one.tree == tree_of(path)]:
                self._folders.remove(folder)
                self._analyst.drop(folder)
                self._editor.clear(folder)
        for added in params.event.added:
            path = _path(added.uri)
            if path is not None:
                self._add_folder(path)

    def _of(self, uri: str) -> tuple[Folder, str] | None:
        """Return the folder that a document belongs to, the innermost, and its name there; None for one outside."""
        path = _path(uri)
        if path is None:
            return None
        found = [(folder, name) for folder in self._folders if (name := folder.name_of(path)) is not None]
        return max(found, key=lambda one: len(str(one[0].tree)), default=None)

    def _opened(self, params: types.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        path = _path(uri)
        if self._of(uri) is None and not self._folders and path is not None and path.suffix in (".c", ".h"):
            # an editor without folders: the file tells the tree
            self._add_folder(path.parent)
        self._note(uri, is_new=True)

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        self._note(params.text_document.uri, is_new=False)

    def _note(self, uri: str, *, is_new: bool) -> None:
        found, path = self._of(uri), _path(uri)
        if found is None or path is None:
            return
        document = self._server.workspace.get_text_document(uri)
        buffer = Buffer(uri, path, document.version or 0, document.source)
        found[0].note_text(found[1], buffer, is_new=is_new)

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        found = self._of(params.text_document.uri)
        if found is not None:
            found[0].note_files()

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        found = self._of(params.text_document.uri)
        if found is not None:
            found[0].note_files(closed=found[1])

    def _files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        uris = [change.uri for change in params.changes]
        for folder in self._folders:
            found = [one for uri in uris if (one := self._of(uri)) is not None and one[0] is folder]
            # what is open in the editor is told of by itself
            if any(name not in folder.buffers for _, name in found):
                folder.note_files()

    def _stopped(self, params: types.WorkDoneProgressCancelParams) -> None:
        self._editor.cancel(params.token)

    def _hover(self, params: types.HoverParams) -> types.Hover | None:
        found = self._of(params.text_document.uri)
        if found is None or found[0].views is None:
            return None
        folder, name = found
        line = params.position.line + 1
        text = Texts(folder.tree, folder.buffers).line(name, line) or ""
        word = word_at(self._editor.codec, text, params.position.character)
        told = folder.views.about(name, line, word) if word and folder.views is not None else ""
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, told)) if told else None

    def _lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        found = self._of(params.text_document.uri)
        if found is None or found[0].views is None:
            return []
        folder, name = found
        lenses = folder.views.lenses(name, Texts(folder.tree, folder.buffers).lines(name)) if folder.views else []
        uri = params.text_document.uri
        return [
            types.CodeLens(
                types.Range(types.Position(lens.line - 1, 0), types.Position(lens.line - 1, 0)),
                types.Command(lens.title, EXPLAIN, arguments=[lens.target, uri]),
            )
            for lens in lenses
        ]

    def _explain(self, target: str, uri: str = "") -> str:
        """Explain a target of a document's tree; the text is shown, if the editor can, and returned."""
        found = self._of(uri)
        folder = found[0] if found is not None else next(iter(self._folders), None)
        if folder is None or folder.views is None:
            return "nothing is analysed yet"
        try:
            explanation = folder.views.explained(target) or explain(folder.options, target, Silent())
        except LockspecError as error:
            return str(error)
        texts = Texts(folder.tree, folder.buffers)
        if isinstance(explanation, LockExplanation):
            text = render_lock(explanation, texts, Style())
        else:
            text = render_explanation(explanation, texts, Style())
        self._editor.show(target, text)
        return text


def _path(uri: str) -> Path | None:
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


def serve(options: CheckOptions, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Serve an editor; return the exit status."""
    return Service(options).run(stdin, stdout)
