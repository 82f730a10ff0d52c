# SPDX-License-Identifier: GPL-2.0-only
"""A client of the language server: a real process at the other end of its pipes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from scripts.minikvm_commands import FIXTURES, commands

UNIT = "virt/kvm/guest_memfd.c"
LOCK = "\tmutex_lock(&kvm->slots_lock);\n\tfilemap_invalidate_lock(inode->i_mapping);\n"
DEADLINE_S = 90
#: for a whole conversation, and for the end of one
CONVERSATION_S, END_S = 240, 30

CAPABILITIES = types.ClientCapabilities(
    window=types.WindowClientCapabilities(
        work_done_progress=True, show_document=types.ShowDocumentClientCapabilities(support=True)
    ),
    workspace=types.WorkspaceClientCapabilities(
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
        code_lens=types.CodeLensWorkspaceClientCapabilities(refresh_support=True),
    ),
)


class Client:
    """An editor that keeps all it is told."""

    def __init__(self) -> None:
        self.rpc = LanguageClient("test", "1")
        self.published: dict[str, types.PublishDiagnosticsParams] = {}
        self.n_published = 0
        self.messages: list[str] = []
        self.logged: list[str] = []
        self.progress: list[Any] = []
        self.shown: list[str] = []
        self.registered: list[str] = []
        self.changed = asyncio.Event()
        self._listen()
        self._answer()

    def _listen(self) -> None:
        """Keep what the server tells."""
        feature = self.rpc.feature

        @feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.published[params.uri] = params
            self.n_published += 1
            self.changed.set()

        @feature(types.WINDOW_SHOW_MESSAGE)
        def show(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            self.changed.set()

        @feature(types.WINDOW_LOG_MESSAGE)
        def log(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)
            self.changed.set()

        @feature(types.PROGRESS)
        def progress(params: types.ProgressParams) -> None:
            self.progress.append(params.value)
            self.changed.set()

    def _answer(self) -> None:
        """Do what the server asks for."""
        feature = self.rpc.feature

        @feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        def create(params: types.WorkDoneProgressCreateParams) -> None:
            self.progress.append(params.token)

        @feature(types.WINDOW_SHOW_DOCUMENT)
        def show_document(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            self.shown.append(params.uri)
            return types.ShowDocumentResult(True)

        @feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registered += [registration.method for registration in params.registrations]

        @feature(types.WORKSPACE_CODE_LENS_REFRESH)
        def refresh(_: None) -> None:
            pass

    async def start(self, *options: str, root: Path | None, **rest: Any) -> types.InitializeResult:
        """Start the server for a folder."""
        folders = [types.WorkspaceFolder(root.as_uri(), root.name)] if root else None
        # in a group of its own, and telling where its threads are when it is asked to abort
        command = [sys.executable, "-X", "faulthandler", "-m", "analyzer", "lsp", *options]
        await self.rpc.start_io(*command, start_new_session=True)
        params = types.InitializeParams(
            capabilities=rest.pop("capabilities", CAPABILITIES), process_id=None, workspace_folders=folders, **rest
        )
        result = await self.rpc.initialize_async(params)
        self.rpc.initialized(types.InitializedParams())
        return result

    async def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds; return it."""
        deadline = time.monotonic() + DEADLINE_S
        while not (found := holds()):
            self.changed.clear()
            left = deadline - time.monotonic()
            assert left > 0, (self.messages, self.logged[-5:])
            try:
                await asyncio.wait_for(self.changed.wait(), min(left, 1.0))
            except TimeoutError:
                continue
        return found

    def open(self, path: Path, text: str | None = None) -> str:
        """Open a document; return its URI."""
        uri = path.as_uri()
        item = types.TextDocumentItem(uri, "c", 1, path.read_text() if text is None else text)
        self.rpc.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, version: int, text: str) -> None:
        """Replace a document's text."""
        identifier = types.VersionedTextDocumentIdentifier(version, uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.rpc.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [whole]))

    async def diagnostics(self, uri: str, version: int) -> list[types.Diagnostic]:
        """Wait for what is said of one version of a document."""
        told = await self.until(lambda: (one := self.published.get(uri)) and one.version == version and one)
        return list(told.diagnostics)

    async def analysed(self, n: int = 1) -> None:
        """Wait until everything was looked at so often."""
        await self.until(lambda: sum(line.startswith("whole: ") for line in self.logged) >= n)

    async def leave(self) -> int | None:
        """Say goodbye; return the server's exit status."""
        await self.rpc.shutdown_async(None)
        self.rpc.exit(None)
        return await self.ended()

    async def ended(self) -> int | None:
        """Wait for the server's end."""
        process = self.rpc._server
        assert process is not None
        status = await asyncio.wait_for(process.wait(), END_S)
        await asyncio.wait_for(self.rpc.stop(), END_S)
        return status

    async def abort(self) -> str:
        """End a server that did not end; return what it says of where it was."""
        process = self.rpc._server
        if process is None or process.returncode is not None:
            return ""
        process.send_signal(signal.SIGABRT)
        assert process.stderr is not None
        try:
            said = await asyncio.wait_for(process.stderr.read(), END_S)
        except TimeoutError:
            said = b"(somebody else holds its standard error)"
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.rpc.stop(), END_S)
        return said.decode("utf-8", "replace")


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    """Give a client whose server is gone afterwards."""
    one = Client()
    try:
        yield one
    finally:
        said = await one.abort()
        if said:
            sys.stderr.write("\n".join((said, *one.messages, *one.logged)))


def run(conversation: Coroutine[Any, Any, None]) -> None:
    """Hold a conversation."""
    asyncio.run(asyncio.wait_for(conversation, CONVERSATION_S))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "cache"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the embedded tree with its compile database."""
    tree = tmp_path / "linux"
    shutil.copytree(FIXTURES / "minikvm", tree)
    (tree / "compile_commands.json").write_text(json.dumps(commands(tree, FIXTURES / "include")))
    return tree
