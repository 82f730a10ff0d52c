# SPDX-License-Identifier: GPL-2.0-only
"""What prose and annotations name, looked up in the program: locks, members, files.

In: `kvm->slots_lock` in a comment about a member of `struct kvm_memory_slot`. Out: the lock class `kvm.slots_lock`.

**Invariant:** a word that could name two locks names none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from analyzer.analysis.names import NameResolver
from analyzer.base.location import Location
from analyzer.ir.types import Record
from analyzer.pipeline.options import CheckOptions
from analyzer.program.link import Program
from analyzer.spec.effect import LockAbstract
from analyzer.spec.model import Name, SpecSet

_PLACE = Location("<text>", 1)
_SEPARATOR = re.compile(r"->|::|\.")


class Known:
    """Looks names up as a reader of the source would."""

    def __init__(self, program: Program, names: NameResolver, spec: SpecSet) -> None:
        self._program = program
        self._names = names
        #: locks without an object, and records, whose holders grace periods wait for
        self._waited = _waited(spec)
        #: lock classes by the name of the member
        self._locks: dict[str, list[str]] = defaultdict(list)
        for record in program.records.values():
            for member in record.members:
                if names.is_lock(Name((record.name, member.name))):
                    self._locks[member.name].append(f"{record.name}.{member.name}")

    def canonical(self, name: Name) -> str:
        """Return a member or lock as reports name it."""
        return self._names.lock(name, _PLACE)

    def lock(self, word: str, record: str = "") -> str | None:
        """Return the class of the lock that `word` names, written in `record` or about it."""
        parts = _parts(word)
        *holders, member = parts
        if not holders:
            own = self._own_lock(record, member)
            if own is not None:
                return own
            for alone in (member, member.lower()):
                if self._names.is_lock(Name((alone,))):
                    return alone
        candidates = self._locks.get(member, [])
        if holders:
            candidates = [lock for lock in candidates if lock.rpartition(".")[0].split(".")[-1] == holders[-1]]
        return candidates[0] if len(candidates) == 1 else None

    def _own_lock(self, record: str, member: str) -> str | None:
        """Return the lock called `member` in `record` or in a structure around it."""
        while record:
            if self._names.is_lock(Name((record, member))):
                return f"{record}.{member}"
            record = record.rpartition(".")[0]
        return None

    def has_read_side(self, lock: str) -> bool:
        """Tell whether readers of the lock are waited for by grace periods."""
        if lock in self._waited:
            return True
        record, _, member = lock.rpartition(".")
        layout = self._program.records.get(record)
        types = [one.type for one in layout.members if one.name == member] if layout else []
        return any(isinstance(ctype, Record) and ctype.name in self._waited for ctype in types)

    def member(self, word: str, record: str = "") -> str | None:
        """Return the member or global that `word` names, with members of `record` named alone."""
        parts = _parts(word)
        if len(parts) == 1 and record and self._has(record, parts[0]):
            return f"{record}.{parts[0]}"
        if len(parts) == 1:
            cell = self._names.cell(Name((parts[0],)), _PLACE)
            return cell[1] if cell else None
        if not self._has(parts[0], parts[1]):
            return None
        cell = self._names.cell(Name(tuple(parts)), _PLACE)
        return ".".join(cell) if cell else None

    def _has(self, record: str, member: str) -> bool:
        layout = self._program.records.get(record)
        return layout is not None and any(one.name == member for one in layout.members)


def _waited(spec: SpecSet) -> frozenset[str]:
    waits = [(row, effect) for row in spec.primitives.values() for effect in row.effects if effect.kind == "wait"]
    families = {row.family for row, effect in waits if not isinstance(effect.lock, LockAbstract)}
    records = {name for family in spec.families if family.name in families for name in family.types}
    return frozenset(records | {effect.lock.name for _, effect in waits if isinstance(effect.lock, LockAbstract)})


def _parts(word: str) -> list[str]:
    return _SEPARATOR.split(word.strip("`@&* \t").removesuffix("()"))


class Texts:
    """The tree's files as they are analysed."""

    def __init__(self, options: CheckOptions) -> None:
        self._overlays = dict(options.overlays)
        database = options.compile_commands
        self._bases = [base for base in (options.tree, options.build, database and database.parent, Path()) if base]
        self.read = cache(self._read)

    def _read(self, file: str) -> str | None:
        """Return the text of a file, or None if there is none."""
        overlaid = self._overlays.get(file)
        for path in (overlaid,) if overlaid else tuple(base / file for base in self._bases):
            try:
                return path.read_text("utf-8", "replace")
            except OSError:
                continue
        return None
