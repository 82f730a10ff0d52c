# SPDX-License-Identifier: GPL-2.0-only
"""Keys of summaries: all that a component's summaries depend on.

In: a component of the call graph. Out: 16 bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from analyzer.analysis.context import Context
from analyzer.analysis.memo import analysis_version
from analyzer.analysis.watch import Watch, Watches
from analyzer.program.entries import Entry
from analyzer.program.flow import FlowFacts, Site

_encode = msgspec.msgpack.Encoder().encode


class Keys:
    """Makes the keys of one run."""

    def __init__(self, context: Context, flows: Mapping[str, FlowFacts], digest_of: Callable[[str], str]) -> None:
        self._context = context
        self._flows = flows
        self._digest_of = digest_of
        watches = context.watches
        constants = [(cell, sorted(values)) for cell, values in sorted(context.constants.items())]
        rules = (
            [(cell, [without_sites(watch) for watch in some]) for cell, some in sorted(watches.cells.items())],
            sorted(watches.calls.items()),
            sorted(watches.readers),
            sorted(watches.dated.items()),
            sorted(watches.claims.items()),
            sorted(watches.pointees.items()),
            sorted(watches.bare.items()),
        )
        settled = _encode((rules, constants))
        #: depends on the whole run: code, specification, rules
        self._base = blake2b(analysis_version() + context.spec.digest.encode() + settled, digest_size=16).digest()
        #: places in a function that watches are about, by its name
        self._sites = {name: _encode(sites) for name, sites in sites_of(watches).items()}
        self._conducts: dict[str, bytes] = {}

    def key(self, component: list[str]) -> bytes:
        """Return the key of `component`, whose callees outside it are settled."""
        digest = blake2b(self._base, digest_size=16)
        inside = {ident: index for index, ident in enumerate(component)}
        for ident in component:
            function = self._context.program.functions[ident]
            digest.update(f"\0{function.name}\0{self._digest_of(function.ref.facts_key)}".encode())
            digest.update(self._sites.get(function.name, b""))
            digest.update(_entered(self._context.entries.get(ident)))
            digest.update(self._conduct(ident))
            for site in self._flows[ident].sites:
                self._add_site(digest, ident, site, inside)
            for handler in sorted(self._context.graph.answers.get(ident, ())):
                digest.update(f"\0@{handler}\0".encode())
                digest.update(self._conduct(handler))
                if handler not in inside:
                    digest.update(self._context.summaries.view(handler))
        return digest.digest()

    def _add_site(self, digest: blake2b, ident: str, site: Site, inside: Mapping[str, int]) -> None:
        for callee in self._context.conducts.callees(ident, site):
            if callee is None:
                digest.update(b"\0-")
            elif callee in inside:
                digest.update(f"\0#{callee}".encode())
                digest.update(self._conduct(callee))
            else:
                digest.update(f"\0{callee}\0".encode())
                digest.update(self._context.summaries.view(callee))
                digest.update(self._conduct(callee))
                self._add_answers(digest, callee)

    def _add_answers(self, digest: blake2b, callee: str) -> None:
        """Add what a call through a pointer can reach that `callee`, or what it reaches so, leaves to its callers."""
        work, seen = [callee], {callee}
        while work:
            for function, slot in self._context.summaries.left_to_callers(work.pop()):
                for target in self._context.graph.indirect(function, slot or None):
                    if target not in seen:
                        seen.add(target)
                        work.append(target)
                        digest.update(f"\0={target}\0".encode())
                        digest.update(self._context.summaries.view(target))
                        digest.update(self._conduct(target))

    def _conduct(self, ident: str) -> bytes:
        known = self._conducts.get(ident)
        if known is None:
            conduct = self._context.conducts.of[ident]
            writes = self._context.conducts.digest(conduct.writes)
            reads = self._context.conducts.digest(conduct.reads) if conduct.pure else b""
            runs_under = self._context.in_use.get(ident, ())
            treated = _encode(
                (runs_under, sorted(conduct.touches.items()), sorted(conduct.escapes.items()), conduct.pure)
            )
            known = self._conducts[ident] = blake2b(writes + b"\0" + reads + b"\0" + treated, digest_size=16).digest()
        return known


def sites_of(watches: Watches) -> dict[str, list[tuple[object, ...]]]:
    """Return the places where updaters change what watches are about, by the function's name."""
    found: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for cell, some in sorted(watches.cells.items()):
        for watch in some:
            for site in watch.section.sites if watch.section is not None else ():
                found[site[0]].append((cell, watch.rule, watch.object, site))
    return dict(found)


def without_sites(watch: Watch) -> Watch:
    """Return what a watch asks for in functions that have no part in it."""
    return watch if watch.section is None else replace(watch, section=replace(watch.section, sites=()))


def _entered(entry: Entry | None) -> bytes:
    """Return what a summary depends on of how its function is entered."""
    return b"." if entry is None else b"!" + _encode(replace(entry, text="", source=""))
