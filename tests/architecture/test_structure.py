# SPDX-License-Identifier: GPL-2.0-only
"""The shape of the source: sizes, licence lines, names that must not stand in code. (ruff sees to docstrings.)"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 400

#: functions that may be longer, and why
LONG_FUNCTIONS = {
    "analyzer/cli/check.py": {"check": "a command's parameters are its options, one a line"},
    "analyzer/cli/diff.py": {"diff": "a command's parameters are its options, one a line"},
    "analyzer/cli/spec.py": {"lint": "a command's parameters are its options, one a line"},
}
#: files that may be longer, and why
LONG_FILES: dict[str, str] = {}
#: words of the kernel that code must not know: they belong into YAML, fixtures, documentation
KERNEL_WORDS = re.compile(
    r"\b(kvm|kvm_\w+|gmem\w*|slots_lock|mmu_lock|memslots?|vcpu\w*|users_count|filemap_\w+|"
    r"mutex_\w+|spin_(un)?lock\w*|read_(un)?lock\w*|write_(un)?lock\w*|(up|down)_(read|write)\w*|"
    r"s?rcu_\w+|synchronize_\w+|refcount_\w+|lockdep_\w+|k[mzv]\w*alloc\w*)\b"
)
#: code that may know such a word, and why
KNOWN_KERNEL_WORDS: dict[tuple[str, str], str] = {}

PACKAGE = sorted((ROOT / "analyzer").rglob("*.py"))
PYTHON = sorted(path for folder in ("analyzer", "bench", "scripts", "tests") for path in (ROOT / folder).rglob("*.py"))
FIXTURES = sorted(path for path in (ROOT / "fixtures").rglob("*.[ch]"))
SPECS = sorted((ROOT / "lockspecs").rglob("*.yaml"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def n_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_functions_are_short(path: Path) -> None:
    allowed = LONG_FUNCTIONS.get(name(path), {})
    long = {f.name: n_lines(f) for f in functions(path) if n_lines(f) > MAX_FUNCTION_LINES and f.name not in allowed}
    assert long == {}


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_files_are_short(path: Path) -> None:
    assert name(path) in LONG_FILES or len(path.read_text("utf-8").splitlines()) <= MAX_FILE_LINES


def test_exceptions_are_needed() -> None:
    for file, allowed in LONG_FUNCTIONS.items():
        long = {f.name for f in functions(ROOT / file) if n_lines(f) > MAX_FUNCTION_LINES}
        assert set(allowed) <= long, file
    for file, word in KNOWN_KERNEL_WORDS:
        assert word in code_words(ROOT / file), file
    for file in LONG_FILES:
        assert len((ROOT / file).read_text("utf-8").splitlines()) > MAX_FILE_LINES, file


@pytest.mark.parametrize("path", PYTHON + FIXTURES + SPECS, ids=name)
def test_every_file_names_its_licence_first(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    first = lines[1] if lines[0].startswith("#!") else lines[0]
    assert re.fullmatch(r"(#|//|/\*) SPDX-License-Identifier: GPL-2\.0-only( \*/)?", first)


def test_no_module_is_a_drawer() -> None:
    assert [name(path) for path in PACKAGE if path.stem in {"utils", "util", "helpers", "common", "misc"}] == []


def prose_lines(tree: ast.Module) -> Iterator[int]:
    """Find the lines of docstrings and of the examples in help texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield node.body[0].lineno
        if isinstance(node, ast.Assign) and any(ast.unparse(target).endswith("EXAMPLES") for target in node.targets):
            yield node.value.lineno


def code_words(path: Path) -> Iterator[str]:
    """Find kernel words in names and strings; comments, docstrings and examples may hold them."""
    text = path.read_text("utf-8")
    prose = set(prose_lines(ast.parse(text)))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.start[0] in prose:
            continue
        if token.type in (tokenize.NAME, tokenize.STRING):
            yield from (match.group() for match in KERNEL_WORDS.finditer(token.string))


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_code_knows_no_kernel_name(path: Path) -> None:
    assert {word for word in code_words(path) if (name(path), word) not in KNOWN_KERNEL_WORDS} == set()


def test_the_search_for_kernel_names_finds_some(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""kvm"""\n# kvm\nEXAMPLES = "kvm"\nx = "vcpu"\nmmu_lock = 1\n')
    assert list(code_words(path)) == ["vcpu", "mmu_lock"]
