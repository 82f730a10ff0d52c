# SPDX-License-Identifier: GPL-2.0-only
"""What is not YAML 1.2, or is more of it than a specification needs, is refused with its place and without delay."""

import time
from pathlib import Path

import pytest

from analyzer.base.errors import SpecError
from analyzer.spec.documents import read_document
from analyzer.spec.files import MAX_BYTES
from analyzer.spec.load import load

LAUGHS = "\n".join(
    ["lockspec: 1", "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    + [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
)

CASES = {
    "aliases that explode": (LAUGHS, "x.yaml:2:4: anchor '&a': anchors and aliases are not accepted"),
    "an alias": ("lockspec: *x\n", "x.yaml:1:11: alias '*x': anchors and aliases are not accepted"),
    "a recursive alias": ("lockspec: &x [*x]\n", "x.yaml:1:11: anchor '&x': anchors and aliases are not accepted"),
    "a tag that constructs": (
        "lockspec: !!python/object/apply:os.system [id]\n",
        "x.yaml:1:11: tag 'tag:yaml.org,2002:python/object/apply:os.system': tags are not accepted, write the plain value",
    ),
    "a key twice": ("lockspec: 1\nrules: []\nrules: []\n", "x.yaml:3:1: key 'rules' stands twice; first in line 2"),
    "a list as a key": ("? [a]\n: 1\n", "x.yaml:1:3: a list or mapping as a key: keys are words"),
    "a second document": (
        "lockspec: 1\n---\nlockspec: 1\n",
        "x.yaml:2:1: a second document ('---'): one file holds one specification",
    ),
    "YAML 1.1": (
        "%YAML 1.1\n---\nlockspec: 1\n",
        (
            "x.yaml:1:1: %YAML 1.1: specifications are YAML 1.2, where on, off, yes and no are texts; write '%YAML 1.2' "
            "or leave the line out"
        ),
    ),
    "a tab": ("lockspec: 1\nrules:\n\t- id: x\n", "x.yaml:3:1: a tab: YAML is indented with spaces only"),
    "a tab after spaces": (
        "lockspec: 1\nrules:\n  \t- id: x\n",
        "x.yaml:3:3: a tab: YAML is indented with spaces only",
    ),
    "nothing": ("", "x.yaml:1:1: the file is empty; it must begin with 'lockspec: 1'"),
    "comments only": ("# soon\n", "x.yaml:1:1: the file is empty; it must begin with 'lockspec: 1'"),
    "a terminal escape": ("lockspec: 1\n# \x1b[31m", "x.yaml:2:3: control character U+001B: this is not a text file"),
    "nested deeply": ("[" * 10000, "x.yaml:1:41: nested more than 40 levels deep"),
    "nested deeply in blocks": ("- " * 10000, "x.yaml:1:81: nested more than 40 levels deep"),
    "a text": ("hello", "x.yaml:1:1: a specification begins with 'lockspec: 1', found the text 'hello'"),
    "a list": ("- 1", "x.yaml:1:1: a specification begins with 'lockspec: 1', found a list"),
    "another program's YAML": (
        "version: 2\n",
        "x.yaml:1:1: a specification begins with 'lockspec: 1', found the key 'version'",
    ),
    "another version": ("lockspec: 2\nrules: []\n", "x.yaml:1:11: 'lockspec': found the integer 2; accepted: 1"),
    "a version that is a text": (
        "lockspec: '1'\nrules: []\n",
        "x.yaml:1:11: 'lockspec': found the text '1'; accepted: 1",
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_refused(text: str, expected: str) -> None:
    start = time.perf_counter()
    with pytest.raises(SpecError) as raised:
        read_document(text, "x.yaml")
    assert str(raised.value) == expected
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("text", "place"),
    [("lockspec: 1\nrules: [\n", "x.yaml:3:1"), ("lockspec: 1\na: b: c\n", "x.yaml:2:5"), ('a: "b\n', "x.yaml:2:1")],
)
def test_what_is_not_yaml_is_said_to_be_so_at_its_place(text: str, place: str) -> None:
    with pytest.raises(SpecError) as raised:
        read_document(text, "x.yaml")
    assert str(raised.value).startswith(f"{place}: not YAML: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"lockspec: 1\nwhy: caf\xe9\n", "{}:2:9: byte 0xe9 is not UTF-8"),
        ("lockspec: 1\n".encode("utf-16"), "{}:1:1: byte 0xff is not UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00", "{}:1:1: control character U+007F: this is not a text file"),
        (b"lock\x00spec: 1\n", "{}:1:5: control character U+0000: this is not a text file"),
        (b"#" * (MAX_BYTES + 1), "{}: larger than 1 MiB: this is no lock specification"),
    ],
)
def test_a_file_that_is_no_text(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(SpecError) as raised:
        load([path])
    assert str(raised.value) == expected.format(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with pytest.raises(SpecError) as raised:
        load([path])
    assert str(raised.value) == f"{path}: cannot be read: No such file or directory"


def test_a_folder_without_specifications(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as raised:
        load([tmp_path])
    assert str(raised.value) == f"{tmp_path}: no file named *.yaml in this folder"


def test_columns_count_bytes() -> None:
    with pytest.raises(SpecError) as raised:
        read_document("lockspec: 1\n'é': {x: 1}\n", "x.yaml")
    assert "\nx.yaml:2:1: unknown key 'é'" in str(raised.value)
    with pytest.raises(SpecError) as raised:
        read_document("lockspec: 1\nrules: [é, {é: &a 1}]\n", "x.yaml")
    assert str(raised.value) == "x.yaml:2:18: anchor '&a': anchors and aliases are not accepted"
