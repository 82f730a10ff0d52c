# SPDX-License-Identifier: GPL-2.0-only
"""One object file against the source graph.

In: `ObjectFacts` of one unit after another. Out: shares found, differences, and what was left aside.

**Source:** names that GCC makes up: -mfunction-return=, -mindirect-branch= (x86 options), -fstack-protector, -mfentry,
-fsanitize= (instrumentation options) of the GCC manual; its section "Standards" for the four library functions that
GCC calls by itself. Sections: Linux include/linux/init.h, include/linux/export.h, include/linux/compiler.h.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from analyzer.binary.model import ObjectCall, ObjectFacts, StoredAddress
from analyzer.findings.crosscheck import Difference, Share
from analyzer.pipeline.sourcegraph import SourceGraph

_COMPILER_MADE = re.compile(
    r"__x86_return_thunk|__x86_indirect_thunk_\w+|__stack_chk_fail|__fentry__"
    r"|mem(?:cpy|move|set|cmp)|__(?:asan|tsan|msan|ubsan|sanitizer_cov)_\w+"
)
#: entries of these sections are functions that are called when the kernel or a module comes and goes
_INITCALLS = (".initcall", ".exitcall")
_EXPORTS = ".export_symbol"
#: thrown away by the linker: it keeps the compiler from dropping what it refers to
_DISCARDED = ".discard"
#: the other arm of __builtin_constant_p
_CHOSEN = "edge chosen for constants"


class Comparison:
    """What was found so far."""

    def __init__(self, graph: SourceGraph) -> None:
        self._graph = graph
        self.differences: list[Difference] = []
        self._sites: Counter[str] = Counter()
        self._edges: dict[tuple[str, str, str], str] = {}
        self._inlined: Counter[str] = Counter()
        self._stored: Counter[str] = Counter()
        self._addresses: set[tuple[str, str]] = set()
        self._slots: Counter[str] = Counter()
        self._aside: Counter[str] = Counter()

    def shares(self) -> tuple[Share, ...]:
        """Return the numbers."""
        return (
            _share("call sites", self._sites),
            _share("distinct call edges", Counter(self._edges.values())),
            _share("functions inlined into others", self._inlined),
            _share("function addresses in data", self._stored),
            _share("slots of variables", self._slots),
        )

    def aside(self) -> tuple[tuple[str, int], ...]:
        """Return what was not compared."""
        return tuple(sorted(self._aside.items()))

    def compare(self, unit: str, facts: ObjectFacts) -> None:
        """Compare one object."""
        self._aside["indirect call sites"] += facts.n_indirect
        if facts.assembly:
            self._aside["call sites in assembly files, which have no source graph"] += len(facts.calls)
            return
        inlined = frozenset(inner for _, inner in facts.inlined)
        for call in facts.calls:
            self._call(unit, call, inlined)
        split = frozenset(inner for outer, inner in facts.inlined if outer == inner)
        present = inlined.union(facts.functions)
        for outer, inner in facts.inlined:
            lost = self._lost_callees(unit, outer, inner, present)
            merged = (outer, *lost) if lost or inner in split else ()
            self._inline(unit, outer, inner, facts.calls, merged)
        for stored in facts.stored:
            self._address(unit, stored)
        for loaded in facts.loaded:
            self._aside["instructions that use a function's address"] += 1
            if not self._graph.takes_address(unit, loaded.function):
                place = f"{loaded.section}+{loaded.offset:#x}"
                self.differences.append(Difference("address", unit, " > ".join(loaded.chain), loaded.function, place))
        self._compare_slots(unit, facts)

    def _call(self, unit: str, call: ObjectCall, inlined: frozenset[str]) -> None:
        way = self._explain(unit, call, inlined)
        if way == "compiler-made":
            self._aside["calls that the compiler made up"] += 1
            return
        self._sites[way] += 1
        edge = (unit, call.chain[-1] if call.chain else "", call.callee)
        if self._edges.get(edge, "") in {"", "missing"}:
            self._edges[edge] = way
        if way == "missing":
            place = f"{call.kind} at {call.section}+{call.offset:#x} in {' > '.join(call.chain)}"
            known = all(self._graph.knows(unit, name) for name in call.chain[-1:])
            reason = place if known else f"{place}, which was not analysed"
            self.differences.append(Difference("call", unit, edge[1], call.callee, reason))

    def _explain(self, unit: str, call: ObjectCall, inlined: frozenset[str]) -> str:
        """Tell by what in the source `call` is explained."""
        graph, callee = self._graph, call.callee
        inner = call.chain[-1] if call.chain else ""
        if graph.calls(unit, inner, callee):
            return "edge"
        if graph.may_choose(unit, inner, callee):
            return _CHOSEN
        if call.symbol != callee and callee in call.chain:
            return "rest of a function inlined in part"
        if graph.calls_in_assembly(unit, inner, callee):
            return "inline assembly"
        # code that GCC merged or moved has lost its place among what was inlined
        for function in self._reached(unit, call.chain, inlined):
            if graph.calls(unit, function, callee):
                return "edge of a function inlined there"
            if graph.calls_in_assembly(unit, function, callee):
                return "inline assembly of a function inlined there"
        if graph.may_call_outside(unit, inner, callee):
            return "pointer to a function without a body"
        return "compiler-made" if _COMPILER_MADE.fullmatch(callee) else "missing"

    def _reached(self, unit: str, chain: tuple[str, ...], inlined: frozenset[str]) -> list[str]:
        """List the functions of `chain`, innermost first, and what they reach through functions that were inlined."""
        found = dict.fromkeys(reversed(chain))
        work = list(found)
        while work:
            for inner in sorted(self._graph.callees(unit, work.pop())):
                if inner in inlined and inner not in found:
                    work.append(inner)
                    found[inner] = None
        return list(found)

    def _inline(self, unit: str, outer: str, inner: str, calls: Iterable[ObjectCall], merged: tuple[str, ...]) -> None:
        """Check that a function inlined is one that is called."""
        if outer == inner:
            way = "rest of a function inlined in part"
        elif self._graph.calls(unit, outer, inner):
            way = "edge"
        elif self._graph.may_choose(unit, outer, inner):
            way = _CHOSEN
        elif merged and self._is_merged(unit, (outer, inner), calls, merged):
            way = "equal to what is called, and merged with it"
        else:
            way = "missing"
            known = "" if self._graph.knows(unit, outer) else "the former was not analysed"
            self.differences.append(Difference("inlined", unit, outer, inner, known))
        self._inlined[way] += 1

    def _lost_callees(self, unit: str, outer: str, inner: str, present: frozenset[str]) -> tuple[str, ...]:
        """Name what `outer` calls that could be `inner` and of which nothing is left under its name."""
        graph = self._graph
        lost = graph.callees(unit, outer) - present
        return tuple(n for n in sorted(lost) if graph.defines_plainly(unit, n) or graph.is_same_text(unit, n, inner))

    def _is_merged(
        self, unit: str, pair: tuple[str, str], calls: Iterable[ObjectCall], merged: tuple[str, ...]
    ) -> bool:
        """Tell whether all that is called in the second of `pair` inside the first is called by one of `merged`.

        -fpartial-inlining splits functions, and -fipa-icf merges equal functions and parts under one name.
        """
        found = [call for call in calls if pair in pairwise(call.chain)]
        return all(any(self._graph.calls(unit, name, _next(call, pair[1])) for name in merged) for call in found)

    def _address(self, unit: str, stored: StoredAddress) -> None:
        if stored.section.startswith(_DISCARDED):
            self._aside["addresses that the linker discards"] += 1
            return
        if stored.section.startswith(_INITCALLS):
            way = "initcall" if self._graph.is_initcall(stored.function) else "missing"
        elif stored.section == _EXPORTS:
            way = "export" if self._graph.is_exported(stored.function) else "missing"
        elif stored.relative and not stored.variable:
            self._aside["places of instructions at a function's beginning"] += 1
            return
        else:
            way = "address taken" if self._graph.takes_address(unit, stored.function) else "missing"
        self._stored[way] += 1
        if way == "missing":
            place = f"{stored.section}+{stored.offset:#x}"
            self.differences.append(
                Difference("address", unit, stored.variable or stored.section, stored.function, place)
            )

    def _compare_slots(self, unit: str, facts: ObjectFacts) -> None:
        """Compare each pointer in each variable: the object's function there, and those of the initialiser."""
        slots = self._graph.slots(unit)
        for variable in facts.variables:
            if any(s.section.startswith(_INITCALLS) for s in facts.stored if s.variable == variable.name):
                continue  # compared as what it is: a call when a module goes
            ours: dict[int, set[str]] = defaultdict(set)
            ways = {leaf.path: leaf.offset for leaf in variable.leaves}
            names = {leaf.offset: leaf.path for leaf in reversed(variable.leaves)}
            for way, functions in slots.get(variable.name, {}).items():
                if way in ways:
                    ours[ways[way]] |= functions
                else:
                    self._slot(unit, variable.name + way, "", functions)
            theirs = {
                s.offset: s.function
                for s in facts.stored
                if s.variable == variable.name and s.scope == variable.scope and not s.section.startswith(_DISCARDED)
            }
            for offset in sorted(ours.keys() | theirs.keys()):
                where = variable.name + names.get(offset, f"+{offset:#x}")
                self._slot(unit, where, theirs.get(offset, ""), ours.get(offset, set()))

    def _slot(self, unit: str, where: str, theirs: str, ours: set[str]) -> None:
        equal = theirs in ours or (not theirs and not ours)
        self._slots["equal" if equal else "missing"] += 1
        if not equal:
            told = f"the source has {', '.join(sorted(ours)) or 'nothing'}"
            self.differences.append(Difference("slot", unit, where, theirs or "nothing", told))


def _next(call: ObjectCall, function: str) -> str:
    """Return what is called, or inlined, right inside `function` in `call`'s chain."""
    following = call.chain.index(function) + 1
    return call.chain[following] if following < len(call.chain) else call.callee


def _share(name: str, counter: Counter[str]) -> Share:
    by = tuple(sorted((way, n) for way, n in counter.items() if way != "missing"))
    return Share(name, counter.total(), counter.total() - counter["missing"], by)
