# SPDX-License-Identifier: GPL-2.0-only
"""Compile commands without what is for the object file."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.source.command import Compilation, CompileCommand, split_words, strip_arguments


@pytest.mark.parametrize(
    "command",
    [
        "gcc -c a.c",
        """gcc '-DNAME="kvm"' -DNAME='"kvm"' -DX=\\"y\\" a.c""",
        """gcc -DA="a \\"b\\" \\$c \\n" a\\ b.c""",
        "gcc -D'A(x)=x' \t -I.  a.c  ",
        "gcc ''",
        "",
    ],
)
def test_words_are_those_of_the_shell(command: str) -> None:
    shell = subprocess.run(["sh", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True)
    assert "".join(f"{word}\0" for word in split_words(command) or ("",)) == shell.stdout


@given(st.lists(st.text(st.sampled_from("ab \"'\\$=-/"), max_size=6), max_size=5))
def test_words_quoted_for_the_shell_come_back(words: list[str]) -> None:
    assert list(split_words(shlex.join(words))) == words


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("gcc -c -o a.o a.c", "gcc"),
        ("gcc -O2 -oa.o -MD -MMD -MP -MF a.d -MTa.o -MT a.o -MQ a.o a.c", "gcc -O2"),
        ("gcc -Wp,-MMD,.a.o.d -Wp,-MD,x,-DA=1 -Wp,-MF,y a.c", "gcc -Wp,-DA=1"),
        ("gcc -S -E -P -C -CC -dD -save-temps=obj --coverage -fplugin=x.so -fplugin-arg-x-y=1 a.c", "gcc"),
        ("gcc -I include -I./a -include a.c -D X=1 a.c", "gcc -I include -I./a -include a.c -D X=1"),
        ("ccache gcc -Dc -c a.c", "ccache gcc -Dc"),
        ("gcc -Wall -Werror -m64 -march=k8 a.c", "gcc -Wall -Werror -m64 -march=k8"),
        ("gcc -o", "gcc"),
    ],
)
def test_output_flags_and_source_go_and_all_others_stay(command: str, arguments: str) -> None:
    assert strip_arguments(command.split(), ("a.c",))[0] == tuple(arguments.split())


@pytest.mark.parametrize(
    ("file", "command", "source"),
    [
        ("/b/a.c", "gcc -c -o a.o a.c", "a.c"),
        ("/virt/m.c", "gcc -c -o x.o arch/../../virt/m.c", "arch/../../virt/m.c"),
        ("a.c", "gcc -c -include b.c -o a.o ./a.c", "./a.c"),
        ("/linked/a.c", "gcc -c a.c -o a.o", "a.c"),
        ("a.c", "gcc -c -o a.o", ""),
    ],
)
def test_the_source_is_found_as_the_command_spells_it(file: str, command: str, source: str) -> None:
    compilation = Compilation(file, "/b", tuple(command.split()))
    assert strip_arguments(compilation.words, compilation.sources())[1] == source


def test_the_digest_tells_all_parts_apart() -> None:
    commands = [
        CompileCommand("a.c", "a.c", "/b", ("gcc", "-Da b")),
        CompileCommand("a.c", "a.c", "/b", ("gcc", "-Da", "b")),
        CompileCommand("a.c", "a.c", "/c", ("gcc", "-Da b")),
        CompileCommand("a.c", "./a.c", "/b", ("gcc", "-Da b")),
        CompileCommand("b.c", "a.c", "/b", ("gcc", "-Da b")),
    ]
    assert len({command.digest for command in commands}) == len(commands)
