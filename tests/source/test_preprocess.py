# SPDX-License-Identifier: GPL-2.0-only
"""Preprocessing with the unit's own compiler, overlays included."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from analyzer.base.errors import InputError
from analyzer.base.gap import Gap, GapKind
from analyzer.source.command import CompileCommand
from analyzer.source.commands import read_units
from analyzer.source.mirror import Mirror
from analyzer.source.overlays import resolve_overlays
from analyzer.source.preprocess import Preprocessed, preprocess
from analyzer.source.split import split
from analyzer.source.text import UnitText, decode_unit

Write = Callable[[Mapping[str, str]], None]


def unit(tree: Path, name: str = "drivers/a.c") -> CompileCommand:
    (command,) = read_units(tree=tree, units=[name]).commands
    return command


def text_of(command: CompileCommand, mirror: Mirror | None = None) -> str:
    result = preprocess(command, mirror)
    assert isinstance(result, Preprocessed), result
    return result.text


def gap_of(command: CompileCommand) -> Gap:
    result = preprocess(command)
    assert isinstance(result, Gap)
    assert result.kind is GapKind.UNIT
    assert result.location.file == command.name
    assert "\n" not in result.text
    return result


def test_the_text_and_the_files_it_was_made_of(tree: Path) -> None:
    result = preprocess(unit(tree))
    assert isinstance(result, Preprocessed)
    assert "int sibling;" in result.text
    files = {str(Path(path).relative_to(tree)) for path in result.dependencies if path.startswith(str(tree))}
    assert files == {"drivers/a.c", "drivers/own.h", "include/top.h", "include/sub/beside.h", "include/sub/sibling.h"}
    (compiler,) = {path for path in result.dependencies if not path.startswith(str(tree))} - {
        "/usr/include/stdc-predef.h"
    }
    assert "gcc" in compiler
    assert result.gaps == ()


def test_nothing_is_written_to_the_tree(tree: Path, database: Write) -> None:
    database({"drivers/a.c": "gcc -Wp,-MMD,drivers/.a.o.d -MD -save-temps -Iinclude -c -o drivers/a.o drivers/a.c"})
    before = sorted(tree.rglob("*"))
    text_of(unit(tree))
    assert sorted(tree.rglob("*")) == before


def test_warnings_are_no_errors_and_the_date_does_not_matter(tree: Path, database: Write) -> None:
    (tree / "drivers/a.c").write_text("#warning beware\nconst char *at = __DATE__ __TIME__;\n")
    database({"drivers/a.c": "gcc -Werror -c drivers/a.c"})
    assert '"Jan  1 1970" "00:00:00"' in text_of(unit(tree))


def test_a_failing_compiler_gives_its_first_error_with_its_place(tree: Path) -> None:
    (tree / "include/top.h").write_text("\n#include <absent.h>\n#error second\n")
    text = gap_of(unit(tree)).text
    assert text == "gcc failed: include/top.h:2:10: absent.h: No such file or directory; the unit is skipped"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("no-such-compiler -c drivers/a.c", "the compiler no-such-compiler is not installed; the unit is skipped"),
        ("./no/such -c drivers/a.c", "the compiler ./no/such is not installed; the unit is skipped"),
        ("false -c drivers/a.c", "false failed with status 1; the unit is skipped"),
        ("./dies -c drivers/a.c", "dies was ended by signal 9; the unit is skipped"),
        ("./says -c drivers/a.c", "says failed: no such option -E; the unit is skipped"),
        ("true -c drivers/a.c", "output of true is empty; the unit is skipped"),
        ("gcc -c drivers/gone.c", "gcc failed: drivers/gone.c: No such file or directory; the unit is skipped"),
    ],
)
def test_a_compiler_that_cannot_be_used_is_a_gap(tree: Path, database: Write, command: str, text: str) -> None:
    for name, script in (("dies", "kill -9 $$"), ("says", "echo 'says: error: no such option -E' >&2; exit 3")):
        (tree / name).write_text(f"#!/bin/sh\n{script}\n")
        (tree / name).chmod(0o755)
    database({command.rsplit(maxsplit=1)[-1]: command})
    assert gap_of(unit(tree, command.rsplit(maxsplit=1)[-1])).text == text


def test_a_working_directory_that_is_gone_is_a_gap(tree: Path) -> None:
    command = CompileCommand("a.c", "a.c", str(tree / "gone"), ("gcc",))
    assert "cannot be run in" in gap_of(command).text


PLACED = "drivers/x.i:2:5"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"int a;\nint \0b;\n", f"byte 0x00 at {PLACED}: this is not C; the unit is skipped"),
        (bytes(range(1, 256)), "byte 0x01 at drivers/x.i:1:1: this is not C; the unit is skipped"),
        (b"", "drivers/x.i is empty; the unit is skipped"),
        (b" \n\n", "drivers/x.i is empty; the unit is skipped"),
        (b'# 1 "m.c"\n# 1 "h.h" 1\nint a;\n', "drivers/x.i ends inside h.h: it was truncated; the unit is skipped"),
    ],
)
def test_bytes_that_are_no_preprocessed_c_are_a_gap_with_its_place(data: bytes, text: str) -> None:
    gap = decode_unit(data, "drivers/x.i", "m.c")
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.location.file, gap.text) == (GapKind.UNIT, "m.c", text)


def test_invalid_utf_8_is_replaced_and_told_with_its_place() -> None:
    result = decode_unit(b'int a;\nint \xffb; char *s = "\xe4";\n', "drivers/x.i", "m.c")
    assert isinstance(result, UnitText)
    assert result.text == 'int a;\nint \ufffdb; char *s = "\ufffd";\n'
    (gap,) = result.gaps
    assert (gap.kind, gap.text) == (GapKind.ENCODING, f"byte 0xff at {PLACED} is not UTF-8; read as U+FFFD")


def test_line_ends_of_other_systems_are_read() -> None:
    result = decode_unit(b"int a;\r\nint b;\rint c;\n", "x.i", "m.c")
    assert isinstance(result, UnitText)
    assert result.text == "int a;\nint b;\nint c;\n"


def test_an_unreadable_preprocessed_file_is_a_gap(tmp_path: Path) -> None:
    command = CompileCommand("m.c", str(tmp_path / "gone.i"), str(tmp_path), ())
    assert gap_of(command).text == f"{tmp_path}/gone.i: No such file or directory; the unit is skipped"


class Overlaying:
    """Makes mirrors of a tree with other contents of some files."""

    def __init__(self, tree: Path, scratch: Path) -> None:
        self._tree = tree
        self._scratch = scratch
        self._n = 0

    def mirror(self, **contents: str) -> Mirror:
        """Overlay files, named by their last component without its dot, `a_c`."""
        self._n += 1
        place = self._scratch / f"mirror{self._n}"
        place.mkdir(parents=True)
        overlays = []
        for name, text in contents.items():
            (path,) = self._tree.rglob(name.replace("_", "."))
            content = self._scratch / f"{self._n}{name}"
            content.write_text(text)
            overlays.append((str(path.relative_to(self._tree)), content))
        units = read_units(tree=self._tree)
        resolved = resolve_overlays(overlays, units.names, units.commands)
        return Mirror(place, resolved.roots, resolved.contents)


@pytest.fixture
def overlaying(tree: Path, tmp_path: Path) -> Overlaying:
    """Give what overlays files of the tree."""
    return Overlaying(tree, tmp_path / "scratch")


@pytest.mark.parametrize("name", ["a_c", "own_h", "top_h", "beside_h", "sibling_h", "up_h", "b_c"])
@pytest.mark.parametrize("source", ["drivers/a.c", "drivers/deep/b.c"])
def test_an_overlay_with_the_same_content_changes_no_byte(
    tree: Path, overlaying: Overlaying, name: str, source: str
) -> None:
    (path,) = tree.rglob(name.replace("_", "."))
    command = unit(tree, source)
    assert preprocess(command, overlaying.mirror(**{name: path.read_text()})) == preprocess(command)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a_c", "drivers/a.c"),
        ("own_h", "drivers/a.c"),  # beside the source
        ("top_h", "drivers/a.c"),  # on the search path
        ("sibling_h", "drivers/a.c"),  # beside a header on the search path
        ("up_h", "drivers/deep/b.c"),
        ("own_h", "drivers/deep/b.c"),  # by `../` out of a directory that is not overlaid itself
    ],
)
def test_an_overlay_is_seen_by_every_unit_that_includes_the_file(
    tree: Path, overlaying: Overlaying, name: str, source: str
) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    text = text_of(unit(tree, source), overlaying.mirror(**{name: "int overlaid;\n"}))
    assert text.count("int overlaid;") == 1
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before


def test_an_overlay_may_include_what_the_original_did_not(tree: Path, overlaying: Overlaying) -> None:
    mirror = overlaying.mirror(a_c='#include "deep/up.h"\nint overlaid;\n', own_h="int own_overlaid;\n")
    text = text_of(unit(tree), mirror)
    assert "int own_overlaid;" in text
    assert "int own;" not in text


def test_an_overlaid_file_is_a_dependency_under_its_own_path(tree: Path, overlaying: Overlaying) -> None:
    result = preprocess(unit(tree), overlaying.mirror(own_h="int overlaid;\n"))
    assert isinstance(result, Preprocessed)
    assert str(tree / "drivers/own.h") in result.dependencies


@pytest.mark.parametrize(
    "command",
    [
        "gcc -I{tree}/include -c {tree}/drivers/a.c",
        "gcc -I {tree}/include -iquote{tree}/drivers -c drivers/a.c",
        "gcc -isystem {tree}/include -include {tree}/drivers/own.h -c drivers/../drivers/a.c",
        "gcc -Idrivers/deep/../../include -c drivers/deep/../a.c",
        "gcc -I{link}/include -c {link}/drivers/a.c",
        "gcc -Ilinked -c drivers/a.c",
    ],
)
@pytest.mark.parametrize("name", ["sibling_h", "own_h", "top_h"])
def test_an_overlay_is_seen_however_the_command_spells_its_paths(
    tree: Path, tmp_path: Path, overlaying: Overlaying, command: str, name: str
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree)
    (tree / "linked").symlink_to("include")
    spelled = command.format(tree=tree, link=link)
    entry = CompileCommand("drivers/a.c", spelled.split()[-1], str(tree), tuple(spelled.split()[:-2]))
    (path,) = [path for path in (tree / "include", tree / "drivers") for path in path.rglob(name.replace("_", "."))]
    scratch = tmp_path / "scratch"
    place = scratch / "mirror"
    place.mkdir(parents=True)
    (scratch / "x").write_text("int overlaid;\n")
    mirror = Mirror(place, (str(tree), str(link)), {str(path): str(scratch / "x")})
    assert "int overlaid;" in text_of(entry, mirror)
    (scratch / "x").write_bytes(path.read_bytes())
    assert text_of(entry, mirror) == text_of(entry)


def test_a_message_of_the_compiler_names_the_tree_not_the_mirror(tree: Path, overlaying: Overlaying) -> None:
    result = preprocess(unit(tree), overlaying.mirror(own_h='#include "absent.h"\n'))
    assert isinstance(result, Gap)
    assert "drivers/own.h:1:10: absent.h" in result.text
    assert "mirror" not in result.text


def overlay_error(tree: Path, *overlays: tuple[str, Path], **input_: Any) -> str:
    units = read_units(**({"tree": tree} | input_))
    with pytest.raises(InputError) as caught:
        resolve_overlays(overlays, units.names, units.commands)
    return str(caught.value)


def test_an_overlay_without_effect_is_the_users_mistake(tree: Path, tmp_path: Path) -> None:
    content = tmp_path / "x.h"
    assert overlay_error(tree, ("drivers/a.c", content)).endswith(f"{content} cannot be read")
    content.write_text("")
    assert "there is no file drivers/typo.h in" in overlay_error(tree, ("drivers/typo.h", content))
    ready = tmp_path / "a.i"
    ready.write_text('# 1 "drivers/a.c"\nint a;\n')
    assert "--overlay needs units to preprocess" in overlay_error(tree, ("drivers/a.c", content), preprocessed=[ready])


@pytest.mark.kernel
def test_overlays_of_the_real_tree_change_no_byte_when_nothing_is_changed(tmp_path: Path) -> None:
    tree = Path(os.environ.get("LOCKSPEC_KERNEL", ".kernel/linux")).absolute()
    if not (tree / "compile_commands.json").exists():
        pytest.skip("no kernel tree: run `make kernel`, or set LOCKSPEC_KERNEL")
    names = ["virt/kvm/guest_memfd.c", "arch/x86/kvm/vmx/nested.c"]
    overlays = []
    for name in ("virt/kvm/kvm_mm.h", "include/linux/kvm_host.h", "arch/x86/kvm/x86.h", "virt/kvm/guest_memfd.c"):
        content = tmp_path / Path(name).name
        content.write_bytes((tree / name).read_bytes())
        overlays.append((name, content))
    units = read_units(tree=tree, units=names)
    resolved = resolve_overlays(overlays, units.names, units.commands)
    place = tmp_path / "mirror"
    place.mkdir()
    mirror = Mirror(place, resolved.roots, resolved.contents)
    for command in units.commands:
        assert preprocess(command, mirror) == preprocess(command)
    for name, content in overlays:
        content.write_text(content.read_text() + f"\nint overlaid_{Path(name).stem};\n")
    for command in units.commands:
        text = text_of(command, mirror)
        for name, _ in overlays:
            included = str(tree / name) in (preprocess(command).dependencies)  # type: ignore[union-attr]
            assert (f"int overlaid_{Path(name).stem};" in text) == included, (command.name, name)


LOCKDEP = "#define lockdep_assert_held(l) do { (void)(l); } while (0)\n"


def test_assertions_keep_who_they_are(tree: Path, database: Write) -> None:
    (tree / "include/linux").mkdir()
    (tree / "include/linux/lockdep.h").write_text("#ifndef L\n#define L\n" + LOCKDEP + "#endif\n")
    # late, twice, and from a header
    (tree / "include/late.h").write_text(
        "#include <linux/lockdep.h>\nvoid g(int *l)\n{\n\tlockdep_assert_held(l);\n}\n"
    )
    source = (
        "int first;\n#include <late.h>\n#include <linux/lockdep.h>\nvoid f(int *l)\n{\n\tlockdep_assert_held(l);\n}\n"
    )
    (tree / "drivers/l.c").write_text(source)
    database({"drivers/l.c": "gcc -Werror -Iinclude -c -o x.o drivers/l.c"})
    result = preprocess(unit(tree, "drivers/l.c"))
    assert isinstance(result, Preprocessed)
    assert result.text.count('(void)(l); __lockspec_claim("lockdep_assert_held", __lockspec_held(l));') == 2
    assert any(path.endswith("forced/linux/lockdep.h") for path in result.dependencies)
    segments = split(result.text, lambda path: path)
    own = next(s for s in segments if s.file == "drivers/l.c" and "f(" in s.text)
    assert own.text.splitlines()[own.text.splitlines().index("void f(int *l)") + 2].strip().startswith("do {")
    assert own.line + own.text.splitlines().index("void f(int *l)") == 4


def test_with_lockdep_the_condition_is_evaluated_still(tree: Path, database: Write) -> None:
    (tree / "include/linux").mkdir()
    (tree / "include/linux/lockdep.h").write_text(
        LOCKDEP + "#define lockdep_is_held(l) lock_is_held(l)\nextern int debug_locks;\n"
    )
    (tree / "drivers/l.c").write_text("#include <linux/lockdep.h>\nvoid f(int *l)\n{\n\tlockdep_assert_held(l);\n}\n")
    database({"drivers/l.c": "gcc -DCONFIG_LOCKDEP=1 -Iinclude -c -o x.o drivers/l.c"})
    text = text_of(unit(tree, "drivers/l.c"))
    assert (
        '__lockspec_claim("lockdep_assert_held", __lockspec_held(l)); if (debug_locks && !lock_is_held(l)) { }' in text
    )


def test_a_unit_without_assertions_is_as_without_our_headers(tree: Path) -> None:
    assert "lockspec" not in text_of(unit(tree)).replace(str(tree), "")
