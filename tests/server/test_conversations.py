# SPDX-License-Identifier: GPL-2.0-only
"""Whole conversations with the language server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from lsprotocol import types
from msgspec.structs import replace

from analyzer.findings.model import Finding
from analyzer.pipeline.check import check
from analyzer.pipeline.options import CheckOptions, Silent
from tests.server.conftest import LOCK, UNIT, Client, client, run


def findings(tree: Path, cache: Path, text: str | None = None) -> list[Finding]:
    """Return what `check` finds in the unit."""
    options = CheckOptions(tree=tree, cache=cache)
    if text is not None:
        overlay = tree.parent / "overlay"
        overlay.write_text(text)
        options = replace(options, overlays=((UNIT, overlay),))
    return [finding for finding in check(options, Silent()).findings if finding.location.file == UNIT]


def as_told(diagnostics: list[types.Diagnostic]) -> list[tuple[object, int]]:
    return sorted((str(one.code), one.range.start.line + 1) for one in diagnostics)


def as_found(found: list[Finding]) -> list[tuple[object, int]]:
    return sorted((finding.rule, finding.location.line) for finding in found)


def test_while_typing_on_save_and_after_a_mistake(tree: Path, cache: Path) -> None:
    async def talk() -> None:
        async with client() as editor:
            await editor.start("--cache", str(cache), root=tree)
            uri = editor.open(tree / UNIT)
            await editor.analysed()
            told = await editor.diagnostics(uri, 1)
            assert as_told(told) == as_found(findings(tree, cache))
            look_at_one(tree, told)
            await type_something(editor, uri, tree, cache)
            assert await editor.leave() == 0

    run(talk())


def look_at_one(tree: Path, told: list[types.Diagnostic]) -> None:
    one = next(d for d in told if d.code == "kvm/gmem-file-write")
    assert one.source == "lockspec"
    assert one.severity == types.DiagnosticSeverity.Error
    assert "without kvm.slots_lock" in one.message
    line = (tree / UNIT).read_text().split("\n")[one.range.start.line]
    assert line[one.range.start.character : one.range.end.character] == "file"
    steps = one.related_information
    assert steps
    assert all(step.location.uri.startswith(tree.as_uri()) for step in steps)
    assert steps[0].message.startswith("enters ")


async def type_something(editor: Client, uri: str, tree: Path, cache: Path) -> None:
    text = (tree / UNIT).read_text()
    edited = text.replace(LOCK, LOCK.partition("\n")[2], 1)
    editor.change(uri, 2, edited)
    # the server first: what another run has lowered it need not lower
    told = await editor.diagnostics(uri, 2)
    found = findings(tree, cache, edited)
    assert as_told(told) == as_found(found)
    assert len(found) > len(findings(tree, cache))
    wanted = "kvm_gmem_release(): "
    (line,) = await editor.until(lambda: [one for one in editor.logged if one.startswith(wanted)])
    assert "(function: 1 functions lowered" in line
    # three lines more above, and a mistake: what was found stands where its text is now
    editor.change(uri, 3, edited.replace("\txa_destroy(", "\t(\n\n\n\txa_destroy(", 1))
    told = await editor.diagnostics(uri, 3)
    (syntax,) = [one for one in told if one.code == "syntax"]
    assert "of the text before" in syntax.message
    assert syntax.severity == types.DiagnosticSeverity.Information
    last = max(found, key=lambda finding: finding.location.line)
    assert last.location.line + 3 in [one.range.start.line + 1 for one in told]
    editor.change(uri, 4, text)
    assert as_told(await editor.diagnostics(uri, 4)) == as_found(findings(tree, cache))
    editor.rpc.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
    await editor.analysed(2)
    assert as_told(list(editor.published[uri].diagnostics)) == as_found(findings(tree, cache))


def test_hover_lenses_and_explanations(tree: Path, cache: Path) -> None:
    async def talk() -> None:
        async with client() as editor:
            await editor.start("--cache", str(cache), root=tree)
            uri = editor.open(tree / UNIT)
            await editor.analysed()
            await hover_over_everything(editor, uri, (tree / UNIT).read_text())
            await explain_a_lens(editor, tree)
            for target, words in (("kvm.slots_lock", "taken"), ("kvm_gmem.kvm", "reads"), ("no.such", "no analysed")):
                told = await editor.rpc.workspace_execute_command_async(
                    types.ExecuteCommandParams("lockspec.explain", [target, uri])
                )
                assert words in told
            assert await editor.leave() == 0

    run(talk())


async def hover(editor: Client, uri: str, text: str, needle: str, word: str) -> str:
    offset = text.index(needle) + needle.index(word) + 1
    line = text.count("\n", 0, offset)
    position = types.Position(line, offset - text.rindex("\n", 0, offset) - 1)
    told = await editor.rpc.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), position))
    return str(getattr(told.contents, "value", "")) if told else ""


async def hover_over_everything(editor: Client, uri: str, text: str) -> None:
    field = await hover(editor, uri, text, "WRITE_ONCE(slot->gmem.file, NULL);", "file")
    assert "**kvm_memory_slot.gmem.file**" in field
    assert "write needs kvm.slots_lock" in field
    assert "in `kvm_gmem_release()`" in field
    assert "**proven**, holding address_space.invalidate_lock, kvm.slots_lock" in field
    assert "held here by `kvm_gmem_release()` itself: `address_space.invalidate_lock`, `kvm.slots_lock`" in field
    lock = await hover(editor, uri, text, "mutex_lock(&kvm->slots_lock);", "slots_lock")
    assert "asked for by" in lock
    assert "kvm/gmem-file-write" in lock
    assert "taken in" in lock
    function = await hover(editor, uri, text, "struct file *kvm_gmem_get_file(", "kvm_gmem_get_file")
    assert "**kvm_gmem_get_file()**" in function
    assert await hover(editor, uri, text, "static int", "int") == ""


async def explain_a_lens(editor: Client, tree: Path) -> None:
    header = next((tree / "include").rglob("kvm_host.h"))
    lines = header.read_text().split("\n")
    asked = types.CodeLensParams(types.TextDocumentIdentifier(editor.open(header)))
    found = await editor.rpc.text_document_code_lens_async(asked)
    (lens,) = [one for one in found or () if one.command and "gmem.file:" in one.command.title]
    assert "file;" in lines[lens.range.start.line]
    assert lens.command is not None
    assert "proven" in lens.command.title
    answer = await editor.rpc.workspace_execute_command_async(
        types.ExecuteCommandParams(lens.command.command, lens.command.arguments)
    )
    assert "kvm_gmem_release()" in answer
    (shown,) = await editor.until(lambda: editor.shown)
    assert Path(shown.removeprefix("file://")).read_text() == answer


def test_no_compile_database_is_told_with_what_mends_it(tree: Path, cache: Path) -> None:
    database = tree / "compile_commands.json"
    kept = database.read_text()
    database.unlink()

    async def talk() -> None:
        async with client() as editor:
            await editor.start("--cache", str(cache), root=tree)
            uri = editor.open(tree / UNIT)
            (message,) = await editor.until(lambda: editor.messages)
            assert "make compile_commands.json" in message
            found = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(100, 3))
            assert await editor.rpc.text_document_hover_async(found) is None
            database.write_text(kept)
            changed = types.FileEvent(database.as_uri(), types.FileChangeType.Created)
            editor.rpc.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([changed]))
            assert await editor.diagnostics(uri, 1)
            assert types.WORKSPACE_DID_CHANGE_WATCHED_FILES in editor.registered
            assert await editor.leave() == 0

    run(talk())


def test_headers_files_outside_and_several_folders(tree: Path, cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "one.c").write_text("int one(void) { return 1; }\n")
    entry = {"directory": str(other), "file": "one.c", "arguments": ["gcc", "-c", "one.c"]}
    (other / "compile_commands.json").write_text(json.dumps([entry]))
    header = next((tree / "include").rglob("kvm_host.h"))

    async def talk() -> None:
        async with client() as editor:
            await editor.start("--cache", str(cache), root=tree / "virt" / "kvm")
            uri = editor.open(tree / UNIT)
            editor.open(tmp_path / "nowhere.c", "int x;\n")
            in_header = editor.open(header)
            await editor.analysed()
            before = await editor.diagnostics(uri, 1)
            text = header.read_text().replace("struct mutex slots_lock;", "struct mutex slots_lock, another;", 1)
            editor.change(in_header, 2, text.replace("struct mutex slots_lock, ", "struct mutex renamed, ", 1))
            await editor.until(
                lambda: any("another" in m or "renamed" in m or "slots_lock" in m for m in editor.logged)
            )
            editor.change(in_header, 3, header.read_text())
            await editor.analysed(2)
            assert as_told(list(editor.published[uri].diagnostics)) == as_told(before)
            event = types.WorkspaceFoldersChangeEvent([types.WorkspaceFolder(other.as_uri(), "other")], [])
            editor.rpc.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
            await editor.until(lambda: any("whole: 0 findings" in line for line in editor.logged))
            event = types.WorkspaceFoldersChangeEvent([], [types.WorkspaceFolder(tree.as_uri(), "linux")])
            editor.rpc.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
            await editor.until(lambda: not editor.published[uri].diagnostics)
            assert await editor.leave() == 0

    run(talk())


def test_progress_is_shown_and_may_be_stopped(tree: Path, tmp_path: Path) -> None:
    async def talk() -> None:
        async with client() as editor:
            await editor.start("--cache", str(tmp_path / "cold"), root=tree)
            uri = editor.open(tree / UNIT)
            begin = await editor.until(lambda: [one for one in editor.progress if kind(one) == "begin"])
            assert begin
            token = next(one for one in editor.progress if isinstance(one, str))
            editor.rpc.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
            await editor.until(lambda: [one for one in editor.progress if kind(one) == "end"])
            editor.rpc.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
            assert await editor.diagnostics(uri, 1)
            assert await editor.leave() == 0

    def kind(value: object) -> str:
        found = value.get("kind", "") if isinstance(value, dict) else getattr(value, "kind", "")
        return str(found)

    run(talk())


def test_settings_and_an_editor_that_can_little(tree: Path, cache: Path) -> None:
    async def talk() -> None:
        async with client() as editor:
            result = await editor.start(
                "--cache",
                str(cache),
                root=None,
                capabilities=types.ClientCapabilities(),
                initialization_options={"rules": ["kvm/gmem-file-*"], "under": ["virt/kvm"]},
            )
            assert result.capabilities.position_encoding in (None, types.PositionEncodingKind.Utf16)
            uri = editor.open(tree / UNIT)
            told = await editor.diagnostics(uri, 1)
            assert {one.code for one in told} == {"kvm/gmem-file-write"}
            assert editor.progress == []
            assert await editor.leave() == 0
        async with client() as editor:
            await editor.start("--cache", str(cache), root=tree, initialization_options={"ruels": []})
            (message,) = await editor.until(lambda: editor.messages)
            assert "ruels" in message
            # the editor goes without a word
            editor.rpc.exit(None)
            assert await editor.ended() == 1

    run(talk())


def test_positions_are_counted_in_utf_16(tree: Path, cache: Path) -> None:
    text = (tree / UNIT).read_text()
    edited = text.replace("\t\tWRITE_ONCE(slot->gmem.file, NULL);", "\t\t/* 𝄞 é */ WRITE_ONCE(slot->gmem.file, NULL);")

    async def talk() -> None:
        async with client() as editor:
            await editor.start("--cache", str(cache), root=tree)
            uri = editor.open(tree / UNIT, edited)
            told = [one for one in await editor.diagnostics(uri, 1) if one.code == "kvm/gmem-file-write"]
            for one in told:
                line = edited.split("\n")[one.range.start.line].encode("utf-16-le")
                name = line[2 * one.range.start.character : 2 * one.range.end.character].decode("utf-16-le")
                assert name == "file"
            assert any("𝄞" in edited.split("\n")[one.range.start.line] for one in told)
            assert await editor.leave() == 0

    run(talk())


def test_standard_output_holds_the_protocol_and_nothing_else(tree: Path, cache: Path) -> None:
    """Raw bytes, as an editor without any library sees them; the stream ends without a goodbye."""
    messages = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": tree.as_uri(), "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    ]
    raw = b""
    for message in messages:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        raw += b"Content-Length: %d\r\n\r\n" % len(body) + body
    command = [sys.executable, "-m", "analyzer", "lsp", "--stdio", "--cache", str(cache)]
    done = subprocess.run(command, input=raw, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    rest, n = done.stdout, 0
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        assert json.loads(rest[:length])["jsonrpc"] == "2.0"
        rest, n = rest[length:], n + 1
    assert n >= 2
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
