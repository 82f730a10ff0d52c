# SPDX-License-Identifier: GPL-2.0-only
"""Calls of which no target is known: what is called there, why it is not known, and what may hide behind.

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
from analyzer.program.graph import spell_slot

#: functions named for each site
_N_NAMED = 5


def describe(linked: Linked, atlas: Atlas, sites: Iterable[tuple[str, Site]]) -> tuple[UnresolvedSite, ...]:
    """Describe call sites in the order of their places, those that stand at one place in the order of their words."""
    found = [_describe(linked, atlas, caller, site) for caller, site in sites]
    return tuple(sorted(dict.fromkeys(found), key=_place))


def _describe(linked: Linked, atlas: Atlas, caller: str, site: Site) -> UnresolvedSite:
    call = _call(linked.facts_of(caller), site)
    expression = dump_value(call.callee) if call is not None else spell_slot(site.slot)
    if site.slot is not None and site.slot[0] == "s":
        expression = spell_slot(site.slot)
    ctype = spell(call.signature) if call is not None else ""
    return UnresolvedSite(caller, atlas.at(caller, site), expression, _cause(site), ctype)


def _place(site: UnresolvedSite) -> tuple[object, ...]:
    return (site.site, site.caller, site.expression)


def _cause(site: Site) -> str:
    if site.slot is None:
        return "the pointer is computed in a way that is not followed"
    if site.slot[0] == "p":
        return f"no call in these units passes a known function as {spell_slot(site.slot)}"
    return f"no function in these units gets into {spell_slot(site.slot)}"


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


def rank(linked: Linked, sites: tuple[UnresolvedSite, ...]) -> tuple[UnresolvedSite, ...]:
    """Count for each site the functions that may hide behind it, and put first what hides most."""
    hidden: dict[str, list[str]] = defaultdict(list)
    for ident, name in sorted(_address_taken(linked)):
        ctype = _type_of(linked, ident, name)
        if ctype is not None:
            hidden[spell(ctype)].append(name)
    told = [
        replace(site, n_hidden=len(hidden[site.type]), hidden=tuple(hidden[site.type][:_N_NAMED]))
        if site.type in hidden
        else site
        for site in sites
    ]
    return tuple(sorted(told, key=lambda site: -site.n_hidden))


def _address_taken(linked: Linked) -> set[tuple[str, str]]:
    """Return id (empty without a definition) and name of every function whose address is used but to call it."""
    program = linked.program
    taken = {(unit.name, item.function) for unit in program.units.values() for item in unit.initialisers}
    for function in program.functions.values():
        outline = linked.extraction.functions.outline(function.ref.facts_key)
        for item in (*outline.address_taken, *outline.initialisers):
            taken.add((function.unit, item.function))
    return {(program.resolve(unit, name) or "", name) for unit, name in taken}


def _type_of(linked: Linked, ident: str, name: str) -> CType | None:
    if not ident:
        return linked.program.signatures.get(name)
    ir = linked.facts_of(ident).ir
    return Function(ir.returns, tuple(parameter.type for parameter in ir.parameters), ir.variadic)
