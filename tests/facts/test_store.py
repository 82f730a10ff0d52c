# SPDX-License-Identifier: GPL-2.0-only
"""The store: what comes back, and what becomes of files that are no sound store."""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.facts import store as store_module
from analyzer.facts.codec import DamagedError, decode_unit
from analyzer.facts.database import Database
from analyzer.facts.memo import FunctionMemo
from analyzer.facts.store import Store, StoredUnit, default_directory
from analyzer.facts.unit import FunctionFacts
from analyzer.facts.version import extraction_version

Make = Callable[..., StoredUnit]


def keys_of(unit: StoredUnit) -> list[str]:
    return [function.key.hex() for function in unit.functions]


def filled(directory: Path, *units: StoredUnit) -> Path:
    """Make a store with `units`; return its file."""
    with Store(directory, version="1") as store:
        for unit in units:
            store.keep(unit)
        assert store.path is not None
        return store.path


@pytest.mark.parametrize("in_memory", [False, True])
def test_units_and_functions_come_back(
    tmp_path: Path, unit: Make, function: Callable[[str], FunctionFacts], in_memory: bool
) -> None:
    one, two = unit("a.c", "f", "g"), unit("b.c", "h")
    with Store(None if in_memory else tmp_path, version="1") as store:
        store.keep(one)
        store.keep(two)
        assert store.units([one.key, two.key, b"absent"]) == {
            one.key: decode_unit(one.facts),
            two.key: decode_unit(two.facts),
        }
        functions = store.functions([*keys_of(one), *keys_of(two), "00"])
        assert set(functions) == {*keys_of(one), *keys_of(two)}
        assert functions[keys_of(one)[1]] == function("g")
        assert functions.outline(keys_of(one)[0]).calls == ("queue",)
        assert "00" not in functions


def test_a_later_run_finds_what_an_earlier_one_kept(
    tmp_path: Path, unit: Make, function: Callable[[str], FunctionFacts]
) -> None:
    one = unit("a.c", "f")
    filled(tmp_path, one)
    with Store(tmp_path, version="1") as store:
        assert list(store.units([one.key])) == [one.key]
        assert store.functions(keys_of(one))[keys_of(one)[0]] == function("f")


def test_thousands_of_functions_come_in_few_queries(tmp_path: Path, unit: Make) -> None:
    one = unit("a.c", *(f"f{number}" for number in range(2500)))
    filled(tmp_path, one)
    with Store(tmp_path, version="1") as store:
        assert len(store.functions(keys_of(one))) == 2500


def test_another_version_of_the_extraction_has_a_store_of_its_own(tmp_path: Path, unit: Make) -> None:
    one = unit("a.c", "f")
    filled(tmp_path, one)
    with Store(tmp_path, version="2") as store:
        assert store.units([one.key]) == {}
    with Store(tmp_path, version="1") as store:
        assert list(store.units([one.key])) == [one.key]


def test_stores_of_old_versions_are_dropped(tmp_path: Path) -> None:
    for version in "1234":
        with Store(tmp_path, version=version):
            pass
        os.utime(tmp_path / f"facts-{version}.sqlite3", (int(version), int(version)))
    assert sorted(path.name for path in tmp_path.glob("*.sqlite3")) == [f"facts-{n}.sqlite3" for n in "234"]


def test_the_version_changes_with_the_extraction(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "analyzer/facts/version.py"
    copy.parent.mkdir(parents=True)
    copy.write_text("")
    (tmp_path / "analyzer/lower").mkdir()
    monkeypatch.setattr("analyzer.facts.version.__file__", str(copy))
    before = extraction_version()
    assert extraction_version() == before
    (tmp_path / "analyzer/rules").mkdir()
    (tmp_path / "analyzer/rules/new.py").write_text("pass\n")
    assert extraction_version() == before
    (tmp_path / "analyzer/lower/unit.py").write_text("pass\n")
    assert extraction_version() != before


def test_memos_of_later_layers(tmp_path: Path) -> None:
    with Store(tmp_path, version="1") as store:
        assert store.memo("summary", b"k") is None
        store.remember("summary", b"k", b"value")
        store.remember("summary", b"k", b"other")
        store.remember_all("summary", {b"l": b"2", b"m": b""})
    with Store(tmp_path, version="1") as store:
        assert store.memo("summary", b"k") == b"other"
        assert store.memo("report", b"k") is None
        assert store.memos("summary", [b"k", b"m", b"n"]) == {b"k": b"other", b"m": b""}


def overwrite(path: Path, data: bytes, at: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def sql(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


#: what happens to the file between two runs
DAMAGE: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a database\n" * 500),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 64),
    "cut": lambda path: os.truncate(path, 5000),
    "header": lambda path: overwrite(path, b"XXXX"),
    "schema page": lambda path: overwrite(path, b"\xff" * 3000, 100),
    "foreign database": lambda path: (
        path.unlink(),
        sql(path, "CREATE TABLE unit(key, facts); PRAGMA application_id=7;"),
    ),
    "foreign mark": lambda path: sql(path, "PRAGMA application_id = 7"),
    "table lost": lambda path: sql(path, "DROP TABLE memo"),
    "column added": lambda path: sql(path, "ALTER TABLE unit ADD COLUMN x"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_sound_store_is_replaced_by_an_empty_one(tmp_path: Path, unit: Make, damage: str) -> None:
    one = unit("a.c", "f")
    path = filled(tmp_path, one)
    DAMAGE[damage](path)
    with Store(tmp_path, version="1") as store:
        assert store.units([one.key]) == {}
        assert dict(store.functions(keys_of(one))) == {}
        store.keep(one)
        assert store.note == ""
    with Store(tmp_path, version="1") as store:
        assert list(store.units([one.key])) == [one.key]


@pytest.mark.parametrize("at", range(3, 12))
def test_damage_inside_the_file_never_becomes_facts(tmp_path: Path, unit: Make, at: int) -> None:
    one = unit("a.c", *(f"f{number}" for number in range(200)))
    path = filled(tmp_path, one)
    assert path.stat().st_size > 12 * 4096
    overwrite(path, b"\x5a" * 4096, at * 4096)
    with Store(tmp_path, version="1") as store:
        try:
            units = store.units([one.key])
            functions = store.functions(keys_of(one))
            read = {key: functions[key] for key in functions}
        except DamagedError:
            store.rebuild()
            assert store.units([one.key]) == {}
            store.keep(one)
            return
    with Store(None) as whole:
        whole.keep(one)
        assert units in ({}, whole.units([one.key]))
        assert read.items() <= dict(whole.functions(keys_of(one))).items()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE unit SET facts = x'00'",
        "UPDATE unit SET facts = 'text'",
        "UPDATE unit SET facts = NULL",
        "UPDATE function SET ir = outline",
        "UPDATE function SET outline = substr(outline, 2)",
    ],
)
def test_a_changed_row_is_damage(tmp_path: Path, unit: Make, change: str) -> None:
    one = unit("a.c", "f")
    path = filled(tmp_path, one)
    sql(path, f"PRAGMA ignore_check_constraints = 1; {change.replace('NULL', '0')};")
    with Store(tmp_path, version="1") as store, pytest.raises(DamagedError):
        _ = store.units([one.key]), dict(store.functions(keys_of(one)))


@pytest.mark.parametrize("where", ["a file", "below a file"])
def test_a_directory_that_cannot_be_made_leaves_the_run_without_a_memory(
    tmp_path: Path, unit: Make, where: str
) -> None:
    (tmp_path / "file").write_text("")
    one = unit("a.c", "f")
    with Store(tmp_path / "file" / ("" if where == "a file" else "cache"), version="1") as store:
        assert store.path is None
        assert "not remembered" in store.note
        store.keep(one)
        assert list(store.units([one.key])) == [one.key]
    assert (tmp_path / "file").read_text() == ""


def test_a_store_that_another_process_holds_is_not_waited_for_long(
    tmp_path: Path, unit: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.facts.database._BUSY_S", 0.05)
    one, two = unit("a.c", "f"), unit("b.c", "g")
    path = filled(tmp_path, one)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with Store(tmp_path, version="1") as store:
            assert list(store.units([one.key])) == [one.key]
            store.keep(two)
            assert "not remembered" in store.note
            assert set(store.functions(keys_of(two))) == set(keys_of(two))
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def test_two_runs_share_one_store(tmp_path: Path, unit: Make) -> None:
    units = [unit(f"{number}.c", "same", f"f{number}") for number in range(20)]
    errors: list[Exception] = []

    def run(mine: list[StoredUnit]) -> None:
        try:
            with Store(tmp_path, version="1") as store:
                for one in mine:
                    store.keep(one)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(part,)) for part in (units[:12], units[8:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with Store(tmp_path, version="1") as store:
        assert set(store.units([one.key for one in units])) == {one.key for one in units}


def test_a_file_replaced_under_a_run_does_not_disturb_it(tmp_path: Path, unit: Make) -> None:
    one, two = unit("a.c", "f"), unit("b.c", "g")
    with Store(tmp_path, version="1") as store:
        store.keep(one)
        Database(tmp_path, "1").rebuild()
        store.keep(two)
        assert list(store.units([one.key])) == [one.key]


def test_what_was_used_least_recently_goes_first(tmp_path: Path, unit: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [unit(f"{number}.c", *(f"f{number}_{i}" for i in range(50))) for number in range(8)]
    day = 24 * 3600
    for number, one in enumerate(units):
        monkeypatch.setattr(store_module.time, "time", lambda number=number: 1e9 + number * day)
        filled(tmp_path, one)
    monkeypatch.setattr(store_module.time, "time", lambda: 1e9 + 9 * day)
    with Store(tmp_path, version="1", limit_bytes=150_000) as store:
        store.units([units[0].key])
        store.functions(keys_of(units[0]))
        store.remember("kind", b"key", b"value")
    with Store(tmp_path, version="1") as store:
        left = [number for number, one in enumerate(units) if store.units([one.key])]
        functions = store.functions([key for one in units for key in keys_of(one)])
        assert left[0] == 0
        assert 1 not in left
        assert left[-1] == 7
        assert set(keys_of(units[0])) | set(keys_of(units[7])) <= set(functions)
        assert not set(keys_of(units[1])) & set(functions)
        assert store.memo("kind", b"key") == b"value"


def test_the_default_directory_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/x")
    assert default_directory() == Path("/var/x/lockspec")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/u")
    assert default_directory() == Path("/home/u/.cache/lockspec")


def test_a_function_is_found_where_its_names_mean_the_same(
    tmp_path: Path, unit: Make, function: Callable[[str], FunctionFacts]
) -> None:
    one = unit("a.c", "f")
    path = filled(tmp_path, one)
    memo = FunctionMemo(path)
    (key,) = keys_of(one)
    assert memo.find("text of f", {"box": "77"}.__getitem__) == key
    assert memo.find("text of f", {"box": "78"}.__getitem__) is None
    assert memo.find("text of g", {"box": "77"}.__getitem__) is None
    outline = memo.outline(key)
    assert outline is not None
    assert outline.with_ir(function("f").ir) == function("f")
    assert memo.outline("00") is None
    memo.close()


def test_a_function_lowered_in_two_workers_has_one_key(function: Callable[[str], FunctionFacts]) -> None:
    one, two = FunctionMemo(None), FunctionMemo(None)
    trace = (("box", "77"),)
    key = one.keep("t", trace, function("f"))
    assert two.keep("t", trace, function("f")) == key
    assert two.keep("u", trace, function("f")) != key
    assert two.keep("t", (("box", "78"),), function("f")) != key
    assert two.keep("t", trace, function("g")) != key
    assert one.find("t", lambda _: "77") == key
    assert [stored.key.hex() for stored in one.take_new()] == [key]
    assert one.take_new() == ()


def test_a_memo_on_a_damaged_store_knows_nothing(tmp_path: Path, unit: Make) -> None:
    path = filled(tmp_path, unit("a.c", "f"))
    path.write_bytes(b"garbage" * 1000)
    memo = FunctionMemo(path)
    assert memo.find("text of f", lambda _: "77") is None
    memo.close()
