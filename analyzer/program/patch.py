# SPDX-License-Identifier: GPL-2.0-only
"""The call graph after a few functions changed, without following all function pointers anew.

In: the graph of the program before, the program now, flows by function id. Out: the graph as `CallGraph` would make it;
None where a change touches what function pointers may reach, so that it must.

Most values that a program copies never hold a function. As long as what a changed function copies from and to holds none,
before and now, and leads to no call through a pointer, the targets of all slots stay as they are.

**Invariant:** a graph that is returned equals the one made anew, the order of its edges included, but for copies that
carry no function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from analyzer.program.callbacks import slot_of_row
from analyzer.program.flow import FlowFacts, Site, Slot
from analyzer.program.graph import CallEdge, CallGraph
from analyzer.program.link import Program

#: kinds of edges that a call by its name has
_PLAIN = ("direct", "cleanup", "indirect", "static_call")


def patched(
    graph: CallGraph, program: Program, flows: Mapping[str, FlowFacts], changed: Collection[str]
) -> CallGraph | None:
    """Return `graph` as it is for `program`, in which the functions `changed` are new or have another flow."""
    successor = graph.successor(program, flows)
    patch = _Patch(graph, successor)
    if not all(patch.is_plain(ident) for ident in changed):
        return None
    for ident in sorted(changed):
        patch.replace(ident)
    return successor


def still_ordered(components: Collection[list[str]], before: CallGraph, now: CallGraph) -> bool:
    """Tell whether the components of `before`, in their order, are those of `now`: no call leads to a later one.

    False, too, where a call inside a component is gone: it may fall apart.
    """
    place = {ident: number for number, component in enumerate(components) for ident in component}
    if place.keys() != now.program.functions.keys():
        return False
    for callee in before.dependents.keys() | now.dependents.keys():
        old, new = before.dependents.get(callee, set()), now.dependents.get(callee, set())
        if old == new or callee not in place:
            continue
        if any(place[caller] == place[callee] for caller in old - new if caller in place):
            return False
        if any(place[caller] < place[callee] for caller in new - old):
            return False
    return True


class _Patch:
    """What is looked up for all of the changed functions."""

    def __init__(self, before: CallGraph, now: CallGraph) -> None:
        self.before = before
        self.now = now
        self.relevant = before.targets.relevant(before.called_slots)
        self.lodging = {slot_of_row(row) for row in before.callbacks.rows}
        self.handed = {row.function for row in before.callbacks.rows}

    def is_plain(self, ident: str) -> bool:
        """Tell whether a function takes no part in where function pointers go."""
        old, new = self.before.flows.get(ident), self.now.flows[ident]
        function = self.now.program.functions[ident]
        if old is None and function.name in self.handed:
            return False
        if any(edge.kind not in _PLAIN for edge in self.before.callees.get(ident, ())):
            return False
        flows = [flow for flow in (old, new) if flow is not None]
        if any(lodged[0] in self.lodging for flow in flows for lodged in flow.lodged):
            return False
        if any((ident, site) in self.before.provided for flow in flows for site in flow.sites):
            return False
        if (_indirect(old) if old is not None else []) != _indirect(new):
            return False
        if any(self._is_asked(ident, site) for flow in flows for site in flow.sites if site.callee):
            return False
        before = set(self._copies(ident, old)) if old is not None else set()
        return all(self._carries_nothing(*pair) for pair in before ^ set(self._copies(ident, new)))

    def _is_asked(self, ident: str, site: Site) -> bool:
        """Tell whether who calls the callee decides what is called somewhere."""
        callee = self.now.program.resolve(self.now.program.functions[ident].unit, site.callee) or site.callee
        return callee in self.before.asked

    def _copies(self, ident: str, flow: FlowFacts) -> Iterator[tuple[Slot, Slot]]:
        """Yield (to, from) of all that a function copies, its arguments and results among it."""
        targets, unit = self.now.targets, self.now.program.functions[ident].unit
        for to, source in flow.copies:
            yield targets.qualify(unit, ident, to), self._source(ident, source)
        for site in flow.sites:
            if site.callee:
                callee = self.now.program.resolve(unit, site.callee) or site.callee
                for index, given in enumerate(site.given):
                    yield from ((("p", callee, str(index)), self._source(ident, slot)) for slot in given)
                if site.result:
                    yield ("l", ident, site.result), ("r", callee, "")

    def _source(self, ident: str, slot: Slot) -> Slot:
        unit = self.now.program.functions[ident].unit
        return slot if slot[0] in ("f", "a") else self.now.targets.qualify(unit, ident, slot)

    def _carries_nothing(self, to: Slot, source: Slot) -> bool:
        """Tell whether a copy moves no function, and leads to no call through a pointer."""
        if source[0] == "a":
            return True
        if source[0] == "f" or self.before.targets.held.get(source):
            return False
        return to not in self.relevant

    def replace(self, ident: str) -> None:
        """Give the function its new calls."""
        now = self.now
        old = now.callees.pop(ident, [])
        for callee in {edge.callee for edge in old}:
            now.callers[callee] = [edge for edge in now.callers[callee] if edge.caller != ident or edge.through]
            now.dependents[callee].discard(ident)
        now.outside = [call for call in now.outside if call.caller != ident]
        now.widened = [call for call in now.widened if call[0] != ident]
        kept = dict(now.callers)
        now.callers = defaultdict(list)
        now.add_calls(ident)
        made, now.callers = now.callers, defaultdict(list, kept)
        for callee, edges in made.items():
            now.callers[callee] = _inserted(now.callers[callee], edges, ident)
        for callee in {edge.callee for edge in old} | made.keys():
            if callee in now.answers.get(ident, ()):
                now.dependents[callee].add(ident)
        now.outside.sort(key=lambda call: call.caller)
        now.widened.sort(key=lambda call: call[0])


def _indirect(flow: FlowFacts) -> list[tuple[object, ...]]:
    """Return the calls through pointers, wherever they stand."""
    return [
        (site.slot, site.arguments, site.origin, site.given, site.result, site.choice, site.type)
        for site in flow.sites
        if not site.callee
    ]


def _inserted(edges: list[CallEdge], new: list[CallEdge], ident: str) -> list[CallEdge]:
    """Put the calls of a function among others, which stand in the order of callers, those handed over last."""
    place = next(
        (
            index
            for index, edge in enumerate(edges)
            if (edge.through is None and edge.kind not in _PLAIN) or _owner(edge) > ident
        ),
        len(edges),
    )
    return [*edges[:place], *new, *edges[place:]]


def _owner(edge: CallEdge) -> str:
    """Return the function that holds the call of which the edge was made."""
    return edge.through[0] if edge.through else edge.caller
