# SPDX-License-Identifier: GPL-2.0-only
"""Translation units out of compile databases, Kbuild's records and `.i` files."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from analyzer.base.errors import InputError
from analyzer.source.commands import UnitList, read_units

Write = Callable[[Mapping[str, str]], None]


def names(units: UnitList) -> list[str]:
    return [command.name for command in units.commands]


def test_units_come_in_the_order_of_their_names(tree: Path) -> None:
    units = read_units(tree=tree)
    assert names(units) == ["drivers/a.c", "drivers/deep/b.c"]
    first = units.commands[0]
    assert first.arguments == ("gcc", "-g", "-Iinclude")
    assert (first.source, first.directory) == ("drivers/a.c", str(tree))
    assert (units.ignored, units.gaps) == (0, ())


def test_a_name_has_no_dots_and_is_relative_to_the_tree(tree: Path, database: Write) -> None:
    database({"drivers/deep/../a.c": "gcc -c drivers/deep/../a.c -o a.o"})
    (command,) = read_units(tree=tree).commands
    assert (command.name, command.source) == ("drivers/a.c", "drivers/deep/../a.c")


def test_a_tree_behind_a_symbolic_link_has_the_same_names(tree: Path, tmp_path: Path) -> None:
    link = tmp_path / "linux"
    link.symlink_to(tree)
    assert names(read_units(tree=link)) == ["drivers/a.c", "drivers/deep/b.c"]


def test_arguments_as_a_list_and_a_relative_directory(tree: Path) -> None:
    entry = {"directory": "drivers", "file": "a.c", "arguments": ["gcc", "-DX=a b", "-c", "a.c"], "output": "a.o"}
    (tree / "compile_commands.json").write_text(json.dumps([entry]))
    (command,) = read_units(tree=tree).commands
    assert command.name == "drivers/a.c"
    assert command.arguments == ("gcc", "-DX=a b")


def test_what_is_not_c_is_counted(tree: Path, database: Write) -> None:
    database({"drivers/a.c": "gcc -c drivers/a.c", "x.S": "gcc -c x.S", "y.rs": "rustc y.rs"})
    units = read_units(tree=tree)
    assert names(units) == ["drivers/a.c"]
    assert units.ignored == 2


def test_a_file_compiled_in_two_ways_is_one_unit_and_a_gap(tree: Path) -> None:
    entries = [
        {"directory": str(tree), "file": "drivers/a.c", "command": f"gcc {x} -c drivers/a.c"} for x in ("-DA", "-DB")
    ]
    (tree / "compile_commands.json").write_text(json.dumps(entries + entries[:1]))
    units = read_units(tree=tree)
    assert [command.arguments for command in units.commands] == [("gcc", "-DA")]
    assert [str(gap.location) for gap in units.gaps] == ["drivers/a.c:1"]


def test_units_below_a_directory(tree: Path) -> None:
    assert names(read_units(tree=tree, under=["drivers/deep"])) == ["drivers/deep/b.c"]
    assert names(read_units(tree=tree, under=["drivers/deep/"])) == ["drivers/deep/b.c"]
    assert names(read_units(tree=tree, under=[str(tree / "drivers")])) == ["drivers/a.c", "drivers/deep/b.c"]
    assert len(names(read_units(tree=tree, under=["."]))) == 2
    with pytest.raises(InputError, match="--under driver: no translation unit"):
        read_units(tree=tree, under=["drivers/deep", "driver"])


def test_units_by_name_or_path(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(read_units(tree=tree, units=["drivers/a.c"])) == ["drivers/a.c"]
    assert names(read_units(tree=tree, units=["drivers//deep/../a.c"])) == ["drivers/a.c"]
    assert names(read_units(tree=tree, units=[str(tree / "drivers/a.c")])) == ["drivers/a.c"]
    monkeypatch.chdir(tree / "drivers")
    assert names(read_units(tree=tree, units=["a.c"])) == ["drivers/a.c"]


def test_an_unknown_unit_is_an_error_that_names_a_near_one(tree: Path) -> None:
    with pytest.raises(InputError, match=r"b\.c: no translation unit.*did you mean drivers/deep/b\.c\?"):
        read_units(tree=tree, units=["b.c"])


def test_the_tree_is_the_directory_of_the_database_given(tree: Path) -> None:
    units = read_units(compile_commands=tree / "compile_commands.json")
    assert units.names.tree == str(tree)
    assert names(units) == ["drivers/a.c", "drivers/deep/b.c"]


def test_a_separate_build_directory_names_sources_by_the_tree_and_outputs_by_itself(tree: Path, tmp_path: Path) -> None:
    build = tmp_path / "out"
    build.mkdir()
    (build / "source").symlink_to(tree)
    (tree / "compile_commands.json").unlink()
    entries = [
        {"directory": str(build), "file": str(tree / "drivers/a.c"), "command": f"gcc -c {tree}/drivers/a.c"},
        {"directory": str(build), "file": "made/x.c", "command": "gcc -c made/x.c"},
    ]
    (build / "compile_commands.json").write_text(json.dumps(entries))
    for units in (read_units(tree=tree, build=build), read_units(build=build)):
        assert names(units) == ["drivers/a.c", "made/x.c"]
        assert units.names.tree == str(tree)
    (build / "made").mkdir()
    (build / "made/x.c").write_text("")
    assert units.names.locate("made/x.c") == build / "made/x.c"
    assert units.names.locate("drivers/a.c") == tree / "drivers/a.c"


BAD_DATABASES = {
    "empty file": ("", r"\.json:1:1: not JSON: .*make compile_commands\.json"),
    "no entries": ("[]", r"\.json:1:1: the compile database has no entries; .*make compile_commands\.json"),
    "cut off": ('[{"directory": "/x",\n  "file": "a', r"\.json:2:11: not JSON"),
    "not a list": ('{"directory": "/x"}', r"\.json:1: not a compile database: Expected array, got object"),
    "wrong type": (
        '[{"directory":"/","file":"a.c"},{"directory": "/", "file": 3}]',
        r':1: .*entry 2, key "file": Expected str',
    ),
    "missing key": ('[{"directory": "/x"}]', r":1: not a compile database: entry 1: .*file"),
    "no command": ('[{"directory": "/x", "file": "a.c"}]', r":1: entry 1 \(a\.c\) has no command"),
    "no C": ('[{"directory": "/x", "file": "a.S", "command": "gcc a.S"}]', r":1:1: none of the 1 entries"),
    "not UTF-8": (b'[{"directory":\n "\xff"}]', r"\.json:2:3: not JSON: byte 0xff is not UTF-8"),
    "binary": (bytes(range(64)) * 9, r"\.json:1:1: not JSON"),
    "deep": ("[" * 100_000, r"\.json:1: not a compile database: entry 1: Expected object, got array"),
}


@pytest.mark.parametrize("case", BAD_DATABASES)
def test_a_bad_database_is_one_line_with_its_place_and_the_remedy(tree: Path, case: str) -> None:
    content, message = BAD_DATABASES[case]
    path = tree / "compile_commands.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        read_units(tree=tree)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there(tree: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json: no such file; .*make compile_commands\.json"):
        read_units(tree=tree, compile_commands=tree / "nowhere.json")
    with pytest.raises(InputError, match="drivers: Is a directory"):
        read_units(tree=tree, compile_commands=tree / "drivers")


@pytest.mark.parametrize("option", ["tree", "build"])
def test_a_directory_that_is_not_there(tmp_path: Path, option: str) -> None:
    with pytest.raises(InputError, match=f"nowhere: no such directory; --{option} takes"):
        read_units(**{option: tmp_path / "nowhere"})  # type: ignore[arg-type]


def write_record(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"savedcmd_{path.name[1:-4]} := {command}\n\nsource_x := y\n\ndeps_x := \\\n  a.h \\\n")


@pytest.fixture
def built(tree: Path) -> Path:
    """Give the tree with Kbuild's records and no database."""
    (tree / "compile_commands.json").unlink()
    flags = "gcc -Wp,-MMD,drivers/.a.o.d -Iinclude -D__KERNEL__"
    write_record(
        tree / "drivers/.a.o.cmd",
        f"""{flags} -DNAME='"a"' -DHASH='$(pound)' -DCASH='$$' -c -o drivers/a.o drivers/a.c ; ./tools/objtool/objtool --orc drivers/a.o""",
    )
    write_record(tree / "drivers/deep/.b.o.cmd", f"{flags} -c -o drivers/deep/b.o drivers/deep/../deep/b.c")
    write_record(tree / "drivers/.s.o.cmd", f"{flags} -c -o drivers/s.o drivers/s.S")
    write_record(tree / "drivers/.built-in.a.cmd", "rm -f built-in.a; ar cDPrST built-in.a a.o")
    write_record(tree / "drivers/.host.o.cmd", "gcc -c -o drivers/host.o drivers/host.c")
    write_record(tree / "scripts/.tool.o.cmd", f"{flags} -c -o scripts/tool.o scripts/tool.c")
    (tree / "drivers/.bad.o.cmd").write_bytes(b"\0\xff" * 50)
    return tree


def test_without_a_database_kbuilds_records_are_read(built: Path) -> None:
    units = read_units(tree=built)
    assert names(units) == ["drivers/a.c", "drivers/deep/b.c"]
    assert units.commands[0].arguments == (
        "gcc", "-Iinclude", "-D__KERNEL__", '-DNAME="a"', "-DHASH=#", "-DCASH=$",
    )  # fmt: skip
    assert units.commands[1].source == "drivers/deep/../deep/b.c"
    assert units.ignored == 3


def test_only_the_records_below_the_directories_asked_for_are_read(built: Path) -> None:
    units = read_units(tree=built, under=["drivers/deep"])
    assert names(units) == ["drivers/deep/b.c"]
    assert units.ignored == 0


def test_a_tree_that_was_never_built_says_what_to_do(tree: Path) -> None:
    (tree / "compile_commands.json").unlink()
    with pytest.raises(InputError, match=r"no compile database.* with make, or run make compile_commands\.json"):
        read_units(tree=tree)


def test_preprocessed_files_are_named_after_their_first_markers(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.i").write_text('# 0 "arch/../virt/m.c"\n# 1 "/linux//"\n# 1 "arch/../virt/m.c"\nint a;\n')
    (folder / "sub/two.i").write_text('# 1 "/linux/kernel/k.c"\nint a;\n')
    (folder / "three.i").write_text("int a;\n")
    (folder / "ignored.txt").write_text("int a;\n")
    units = read_units(preprocessed=[folder])
    assert names(units) == sorted(["kernel/k.c", str(folder / "three.i"), "virt/m.c"])
    assert units.names.tree == "/linux"
    assert all(command.arguments == () for command in units.commands)
    one = next(command for command in units.commands if command.name == "virt/m.c")
    assert (one.source, one.directory) == (str(folder / "one.i"), "/linux")


def test_two_preprocessed_files_of_one_unit_are_one_unit_and_a_gap(tmp_path: Path) -> None:
    for name in ("a.i", "b.i"):
        (tmp_path / name).write_text('# 1 "m.c"\nint a;\n')
    units = read_units(preprocessed=[tmp_path / "b.i", tmp_path / "a.i"], tree=tmp_path)
    assert [command.source for command in units.commands] == [str(tmp_path / "b.i")]
    assert [str(gap.location) for gap in units.gaps] == ["m.c:1"]


def test_preprocessed_input_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or directory; --preprocessed takes"):
        read_units(preprocessed=[tmp_path / "nowhere.i"])
    with pytest.raises(InputError, match=r"no \.i file in this directory"):
        read_units(preprocessed=[tmp_path])
