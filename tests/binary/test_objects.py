# SPDX-License-Identifier: GPL-2.0-only
"""Object files: calls, inlining, addresses in data, and what is no object file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from analyzer.base.errors import InputError
from analyzer.binary.model import ObjectFacts
from analyzer.binary.read import read_object
from tests.binary.conftest import Compile, Read

_FUNCTION = re.compile(r"^[0-9a-f]+ <([\w.]+)>:$")
_BRANCH = re.compile(r"\s+[0-9a-f]+:\s+(?:cs |notrack |bnd )*(?:call|j[a-z]+)\s+[0-9a-f]+ <([\w.]+)>")


def edges(facts: ObjectFacts) -> set[tuple[tuple[str, ...], str, str]]:
    return {(call.chain, call.callee, call.kind) for call in facts.calls}


def test_calls_have_a_relocation_or_not(read: Read) -> None:
    facts = read("""
        int outside(int);
        static __attribute__((noinline)) int here(int x) { return outside(x) + 1; }
        int f(int x) { return here(x) + here(x + 1); }
    """)
    assert edges(facts) == {(("here",), "outside", "call"), (("f",), "here", "call")}


def test_tail_calls_are_jumps(read: Read) -> None:
    facts = read("""
        int outside(int);
        __attribute__((noinline)) int here(int x) { asm(""); return x; }
        int f(int x) { return outside(x + 1); }
        int g(int x) { if (x) return outside(x); return 0; }
        int h(int x) { return here(x + 1); }
    """)
    assert edges(facts) == {(("f",), "outside", "jump"), (("g",), "outside", "jump"), (("h",), "here", "jump")}


def test_loops_to_the_beginning_are_no_calls_and_recursion_is(read: Read) -> None:
    facts = read("""
        int outside(int);
        int loop(int x) { while (outside(x)) x--; return x; }
        __attribute__((optimize("no-inline"))) int tree(int x) { return x ? tree(x / 2) * tree(x / 3) : outside(x); }
    """)
    assert (("tree",), "tree", "call") in edges(facts)
    assert {callee for chain, callee, _ in edges(facts) if chain[0] == "loop"} == {"outside"}


def test_what_is_inlined_keeps_its_name(read: Read) -> None:
    facts = read("""
        int outside(int);
        static inline int inner(int x) { return outside(x) + 1; }
        static inline int middle(int x) { return inner(x) * 2; }
        int f(int x) { return middle(x) + 1; }
    """)
    assert edges(facts) == {(("f", "middle", "inner"), "outside", "call")}
    assert facts.inlined == (("f", "middle"), ("middle", "inner"))


def test_copies_that_the_compiler_made_have_the_name_of_the_function(read: Read) -> None:
    facts = read("""
        int outside(int, int);
        void failed(int) __attribute__((cold));
        static __attribute__((noinline)) int copied(int x, int y) { return outside(x, y) + y; }
        int f(int x) { if (x < 0) failed(x); return copied(x, 3); }
        int g(int x) { return copied(x, 3) + 1; }
    """)
    assert set(facts.functions) == {"copied", "f", "g"}
    assert {(chain, callee) for chain, callee, _ in edges(facts)} == {
        (("copied",), "outside"),
        (("f",), "copied"),
        (("f",), "failed"),
        (("g",), "copied"),
    }
    assert any(call.symbol != call.callee for call in facts.calls), "gcc made no copy"


def test_indirect_calls_are_counted(read: Read) -> None:
    facts = read("int f(int (*g)(int)) { return g(1) + g(2); }")
    assert facts.calls == ()
    assert facts.n_indirect == 2


def test_addresses_in_data_have_a_variable_and_an_offset(read: Read) -> None:
    facts = read("""
        typedef int (*handler)(int);
        int outside(int);
        static int first(int x) { return x; }
        struct inner { long n; handler call; };
        struct ops { int n; struct { handler open; }; struct inner inner[2]; union { void *data; handler close; }; };
        struct ops ops = { .open = first, .inner = { [1] = { .call = outside } }, .close = first };
        int f(int n) { static handler table[] = { 0, outside }; return table[n](n); }
    """)
    assert [(s.function, s.variable, s.scope, s.offset) for s in facts.stored if not s.relative] == [
        ("first", "ops", "", 8),
        ("first", "ops", "", 48),
        ("outside", "ops", "", 40),
        ("outside", "table", "f", 8),
    ]
    ways = {variable.name: [(leaf.path, leaf.offset) for leaf in variable.leaves] for variable in facts.variables}
    assert ways["ops"] == [
        (".open", 8),
        (".inner[0].call", 24),
        (".inner[1].call", 40),
        (".close", 48),
        (".data", 48),
    ]
    assert ways["table"] == [("[0]", 0), ("[1]", 8)]


def test_addresses_in_code_are_told(read: Read) -> None:
    facts = read("""
        int outside(int);
        extern int variable;
        int take(int (*)(int), int *);
        int f(void) { return take(outside, &variable) + 1; }
    """)
    assert [(loaded.chain, loaded.function) for loaded in facts.loaded] == [(("f",), "outside")]


def test_names_are_looked_up(read: Read) -> None:
    asked = (("ops", "inner", "n"), ("ops", "hidden"), ("ops", "nothing"), ("counter",), ("nobody",))
    facts = read(
        """
        struct ops { struct { int n; } inner; union { int hidden; }; } ops;
        extern int counter;
        int outside(int);
        int f(void) { return outside(counter + ops.hidden); }
        """,
        fields=asked,
        functions=("outside", "f", "nobody"),
    )
    assert facts.known_fields == (("counter",), ("ops", "hidden"), ("ops", "inner", "n"))
    assert facts.known_functions == ("f", "outside")


def test_without_dwarf_nothing_is_said(compile_c: Compile) -> None:
    assert read_object(compile_c("int f(void) { return 1; }", "-g0")) is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"no object file at all" * 20])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.o"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.o: "):
        read_object(path)


def test_every_cut_of_an_object_is_refused_or_read(compile_c: Compile, tmp_path: Path) -> None:
    data = compile_c("int g(int); int f(int x) { return g(x) + 1; }").read_bytes()
    path = tmp_path / "cut.o"
    for length in range(0, len(data), 97):
        path.write_bytes(data[:length])
        with pytest.raises(InputError):
            read_object(path)


def is_part(name: str, function: str) -> bool:
    """Tell whether code named `name` is that of `function`, or what gcc moved out of the way of one."""
    return name == function or name.endswith(".cold")


def disassembled(path: Path) -> set[tuple[str, int]]:
    """List section and place of every direct branch to the entry of another function that needs no relocation."""
    command = ["objdump", "-drw", "--no-show-raw-insn", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = set()
    function = section = ""
    for line in text.splitlines():
        if line.startswith("Disassembly of section "):
            section = line.split()[-1].removesuffix(":")
        elif named := _FUNCTION.match(line):
            function = named[1]
        elif (branch := _BRANCH.match(line)) and "R_X86_64" not in line and not is_part(branch[1], function):
            found.add((section, int(line.partition(":")[0], 16)))
    return found


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["virt/kvm/kvm_main.o", "arch/x86/kvm/x86.o", "arch/x86/kvm/svm/svm.o"])
def test_no_unrelocated_branch_of_the_real_objects_is_overlooked(tree: Path, name: str) -> None:
    facts = read_object(tree / name)
    assert facts is not None
    ours = {(call.section, call.offset) for call in facts.calls}
    theirs = disassembled(tree / name)
    assert len(theirs) > 50
    # the operand follows one byte of opcode, or two
    assert [place for place in sorted(theirs) if not {(place[0], place[1] + n) for n in (1, 2)} & ours] == []
