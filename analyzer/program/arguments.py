# SPDX-License-Identifier: GPL-2.0-only
"""What a call does to its arguments and to memory, callees included.

In: the call graph and every function's flow. Out: `Conduct` by function id: parameters whose object is read or
written, parameters that become reachable for others, members that may be written.

**Invariant:** functions without a body are taken to write nothing of what their arguments do not point to, but what
the functions write that they are handed and call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from hashlib import blake2b

from analyzer.program.flow import READ, WRITE, FlowFacts, Site
from analyzer.program.graph import CallGraph
from analyzer.program.link import Program
from analyzer.spec.effect import LockArgument, Primitive

#: how a parameter's object becomes reachable for others: stored; or handed to a function that has no body
STORED, HANDED = 2, 1


@dataclass(slots=True)
class Conduct:
    """What calling a function may do, beyond locks."""

    #: READ | WRITE by parameter index, within the object that the parameter points to
    touches: dict[int, int] = field(default_factory=dict)
    #: STORED or HANDED by parameter index
    escapes: dict[int, int] = field(default_factory=dict)
    #: members that may be written, as a bit set (`Conducts.bit`)
    writes: int = 0
    #: members that the value returned may depend on, as a bit set
    reads: int = 0
    #: does nothing but compute a value: no write, no assembly, no call of a function without a body
    pure: bool = True


class Conducts:
    """The conduct of every function, solved bottom-up."""

    def __init__(
        self,
        program: Program,
        graph: CallGraph,
        flows: Mapping[str, FlowFacts],
        primitives: Mapping[str, Primitive] | None = None,
    ) -> None:
        self._program = program
        self._graph = graph
        self._flows = flows
        #: what rows say of functions: conduct by name
        self._stated = {
            name: _stated(primitive) for name, primitive in (primitives or {}).items() if primitive.is_whole
        }
        self._bits: dict[tuple[str, str], int] = {}
        self._cells: list[tuple[str, str]] = []
        self._chunks: dict[tuple[int, int], int] = {}
        self._digests: dict[int, bytes] = {0: b""}
        #: conduct by function id
        self.of: dict[str, Conduct] = {}
        for component in graph.components():
            self._solve(component)

    def again(
        self,
        program: Program,
        graph: CallGraph,
        flows: Mapping[str, FlowFacts],
        components: Iterable[list[str]],
        changed: Iterable[str],
    ) -> tuple[Conducts, set[str]]:
        """Return the conducts of a program in which the functions `changed` are others, and whose conduct changed."""
        successor = copy(self)
        successor._program, successor._graph, successor._flows = program, graph, flows
        successor.of = dict(self.of)
        stale, different = set(changed), set[str]()
        for component in components:
            if stale.isdisjoint(component):
                continue
            successor._solve(component)
            for ident in component:
                if successor.of[ident] != self.of.get(ident):
                    different.add(ident)
                    stale |= graph.dependents.get(ident, set())
        return successor, different

    def bit(self, cell: tuple[str, str]) -> int:
        """Return the bit that stands for member or global `cell` in `Conduct.writes`."""
        found = self._bits.get(cell)
        if found is None:
            found = self._bits[cell] = 1 << len(self._bits)
            self._cells.append(cell)
        return found

    def digest(self, writes: int) -> bytes:
        """Return a digest of the set of cells that `writes` stands for, whatever their bits are in this run.

        Cells' digests are combined by exclusive or, two bytes of the bit set at a time.
        """
        known = self._digests.get(writes)
        if known is None:
            data = writes.to_bytes((writes.bit_length() + 15) // 16 * 2, "little")
            combined = 0
            for position, chunk in enumerate(memoryview(data).cast("H")):
                if chunk:
                    combined ^= self._chunk(position, chunk)
            known = self._digests[writes] = combined.to_bytes(16, "little")
        return known

    def _chunk(self, position: int, chunk: int) -> int:
        known = self._chunks.get((position, chunk))
        if known is None:
            known = 0
            for bit in range(16):
                if chunk >> bit & 1:
                    name = "\0".join(self._cells[position * 16 + bit]).encode()
                    known ^= int.from_bytes(blake2b(name, digest_size=16).digest(), "little")
            self._chunks[(position, chunk)] = known
        return known

    def _solve(self, component: list[str]) -> None:
        for ident in component:
            self.of[ident] = self._own(ident)
        changed = True
        while changed:
            changed = False
            for ident in component:
                changed |= self._absorb(ident)
            changed = changed and len(component) > 1

    def _own(self, ident: str) -> Conduct:
        flow = self._flows[ident]
        writes = 0
        for cell in flow.writes:
            writes |= self.bit(cell)
        reads = 0
        for cell in flow.mentions:
            reads |= self.bit(cell)
        return Conduct(
            dict(flow.touches), dict.fromkeys(flow.stored, STORED), writes, reads, not writes and not flow.assembly
        )

    def _absorb(self, ident: str) -> bool:
        mine = self.of[ident]
        before = (mine.writes, mine.reads, mine.pure, dict(mine.touches), dict(mine.escapes))
        for site in self._flows[ident].sites:
            for callee in self.callees(ident, site):
                self._absorb_call(mine, site, callee)
        return before != (mine.writes, mine.reads, mine.pure, mine.touches, mine.escapes)

    def callees(self, ident: str, site: Site) -> Iterable[str | None]:
        """Return the ids that `site` of `ident` can reach; None for a function without a body."""
        if site.callee:
            return (self._program.resolve(self._program.functions[ident].unit, site.callee),)
        return self._graph.indirect(ident, site.slot) or (None,)

    def behind(self, name: str) -> int:
        """Return the members that may be written by what the function `name`, which has no body, calls at once."""
        writes = 0
        for ident in self._graph.callbacks.run_by.get(name, ()):
            if ident in self.of:
                writes |= self.of[ident].writes
        return writes

    def _absorb_call(self, mine: Conduct, site: Site, callee: str | None) -> None:
        theirs = self.of.get(callee) if callee is not None else None
        if theirs is not None:
            mine.writes |= theirs.writes
            mine.reads |= theirs.reads
        mine.pure = mine.pure and theirs is not None and theirs.pure
        if callee is None:
            mine.writes |= self.behind(site.callee)
        for index, sources in enumerate(site.arguments):
            known = self._stated.get(site.callee) or theirs
            touched = known.touches.get(index, 0) if known else 0
            escaped = known.escapes.get(index, 0) if known else (HANDED if callee is None else 0)
            for source in sources:
                if touched:
                    mine.touches[source.parameter] = mine.touches.get(source.parameter, 0) | touched
                if escaped > mine.escapes.get(source.parameter, 0):
                    mine.escapes[source.parameter] = escaped


def _stated(primitive: Primitive) -> Conduct:
    """Return what the row of a primitive says it does to its arguments: what it does not keep it hands to nobody."""
    conduct = Conduct(pure=False)
    for effect in primitive.effects:
        index = effect.lock.index if isinstance(effect.lock, LockArgument) else None
        if effect.kind == "access" and index is not None:
            bits = {"read": READ, "write": WRITE, "any": READ | WRITE}[effect.access]
            conduct.touches[index] = conduct.touches.get(index, 0) | bits
        if effect.kind == "publish" and index is not None:
            conduct.escapes[index] = STORED
        if effect.kind == "access":
            conduct.escapes.update(dict.fromkeys(effect.keeps, STORED))
    return conduct
