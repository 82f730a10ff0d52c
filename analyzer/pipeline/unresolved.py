# SPDX-License-Identifier: GPL-2.0-only
"""Calls without a target of their own: what is called there, why no target is known, and what may hide behind.

In: the linked program and call sites. Out: `UnresolvedSite` for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from analyzer.facts.unit import FunctionFacts
from analyzer.findings.callgraph import UnresolvedSite
from analyzer.ir.dump import dump_value
from analyzer.ir.function import Call
from analyzer.ir.types import CType, Function, spell
from analyzer.pipeline.link import Linked
from analyzer.program.atlas import Atlas
from analyzer.program.flow import Site
from analyzer.program.graph import CallGraph, spell_slot
from analyzer.program.static_calls import trampoline_slot

#: functions named for each site
_N_NAMED = 5


#: a call site, its caller's id, and why its target is not known
OpenCall = tuple[str, Site, str]


def open_calls(graph: CallGraph) -> list[OpenCall]:
    """List the indirect calls that reach no function of the program, as far as is known."""
    return [
        (
            call.caller,
            call.site,
            f"given from outside: no function in these units gets into {call.origin}"
            if call.origin
            else _untold(call.site),
        )
        for call in graph.outside
    ]


def widened_calls(graph: CallGraph) -> list[OpenCall]:
    """List the indirect calls that may reach any function of their type."""
    cause = "it may reach every function of its type whose address goes where it cannot be followed"
    return [(caller, site, cause) for caller, site in graph.widened]


def chosen_calls(linked: Linked) -> list[OpenCall]:
    """List the indirect calls whose targets callers choose: the call edges begin at those who choose."""
    graph = linked.graph
    result: list[OpenCall] = []
    for caller in sorted(linked.flows):
        own = [edge.site for edge in graph.callees.get(caller, ())]
        for site in linked.flows[caller].sites:
            if site.callee or site in own:
                continue
            names = sorted({linked.program.functions[ident].name for ident in graph.indirect(caller, site.slot)})
            if names:
                found = ", ".join(f"{name}()" for name in names)
                result.append((caller, site, f"callers choose among {found}; the call edges begin there"))
    return result


def _untold(site: Site) -> str:
    if site.slot is None:
        return "the pointer is computed in a way that is not followed"
    return f"where {spell_slot(site.slot)} gets its function from is not known"


def describe(linked: Linked, atlas: Atlas, calls: Iterable[OpenCall]) -> tuple[UnresolvedSite, ...]:
    """Describe calls in the order of their places, those that stand at one place in the order of their words."""
    found = [_describe(linked, atlas, caller, site, cause) for caller, site, cause in calls]
    return tuple(sorted(dict.fromkeys(found), key=_place))


def _describe(linked: Linked, atlas: Atlas, caller: str, site: Site, cause: str) -> UnresolvedSite:
    call = _call(linked.facts_of(caller), site)
    spoken = call is None or (site.slot is not None and site.slot[0] == "s")
    expression = spell_slot(site.slot) if call is None or spoken else dump_value(call.callee)
    ctype = spell(call.signature) if call is not None else ""
    return UnresolvedSite(caller, atlas.at(caller, site), expression, cause, ctype)


def _place(site: UnresolvedSite) -> tuple[object, ...]:
    return (site.site, site.caller, site.expression)


def _call(facts: FunctionFacts, site: Site) -> Call | None:
    """Return the call that `site` stands for."""
    events = (event for block in facts.ir.blocks for event in block.events)
    return next(
        (
            event
            for event in events
            if isinstance(event, Call) and event.at == site.at and len(event.arguments) == len(site.arguments)
        ),
        None,
    )


def rank(linked: Linked, sites: Iterable[UnresolvedSite]) -> tuple[UnresolvedSite, ...]:
    """Count for each site the functions that may hide behind it, and put first what hides most."""
    hidden: dict[str, list[str]] = defaultdict(list)
    for ident, name in sorted(_address_taken(linked)):
        ctype = _type_of(linked, ident, name)
        if ctype is not None:
            hidden[spell(ctype)].append(name)
    told = [
        replace(site, n_hidden=len(hidden[site.type]), hidden=tuple(sorted(set(hidden[site.type]))[:_N_NAMED]))
        if site.type in hidden
        else site
        for site in sites
    ]
    return tuple(sorted(told, key=lambda site: (-site.n_hidden, _place(site))))


def _address_taken(linked: Linked) -> set[tuple[str, str]]:
    """Return id (empty without a definition) and name of every function whose address is used but to call it."""
    program = linked.program
    taken = {(unit.name, item.function) for unit in program.units.values() for item in unit.initialisers}
    for function in program.functions.values():
        outline = linked.extraction.functions.outline(function.ref.facts_key)
        taken.update((function.unit, item.function) for item in outline.address_taken)
        taken.update((function.unit, item.function) for item in outline.initialisers)
    return {(program.resolve(unit, name) or "", name) for unit, name in taken if trampoline_slot(name) is None}


def _type_of(linked: Linked, ident: str, name: str) -> CType | None:
    if not ident:
        return linked.program.signatures.get(name)
    ir = linked.facts_of(ident).ir
    return Function(ir.returns, tuple(parameter.type for parameter in ir.parameters), ir.variadic)
