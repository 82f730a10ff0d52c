# SPDX-License-Identifier: GPL-2.0-only
"""Who decides what a call through a parameter reaches.

In: a call of `range->handler`, where `range` is a parameter. Out: the callers that put a function there, with that
function: two callers with different handlers do not reach each other's.

A pointer is followed up from parameter to argument, and from a pointer to a record to the local record whose address
was passed, until a function's address stands there.

**Invariant:** the functions of all providers together are all that can be called there.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from analyzer.program.flow import FlowFacts, Site, Slot
from analyzer.program.link import Program
from analyzer.program.targets import Targets


class Choice(Struct, frozen=True, gc=False):
    """What a function calls through: a parameter, or a member of the record that it points to."""

    function: str
    parameter: int
    #: the member's slot; None where the parameter itself is called
    member: Slot | None


class Provided(Struct, frozen=True, gc=False):
    """A function that a caller put into a choice."""

    provider: str
    #: the provider's call, by which the pointer goes down
    site: Site
    function: str


class Providers:
    """Follows pointers up the call graph."""

    def __init__(self, program: Program, flows: Mapping[str, FlowFacts], targets: Targets) -> None:
        self._program = program
        self._flows = flows
        self._targets = targets
        self._callers: dict[str, list[tuple[str, Site]]] = defaultdict(list)
        #: functions whose callers an answer rests on: by id, or by name where one has no body
        self.asked: set[str] = set()
        #: members that are stored to through a pointer somewhere: what a local record holds is not all they hold
        self._shared: set[Slot] = set()
        for ident in sorted(flows):
            self._note(ident, flows[ident])

    def _note(self, ident: str, flow: FlowFacts) -> None:
        unit = self._program.functions[ident].unit
        for site in flow.sites:
            if site.callee:
                reached = [self._program.resolve(unit, site.callee) or site.callee]
            else:
                slot = None if site.slot is None else self._targets.qualify(unit, ident, site.slot)
                reached = sorted(self._targets.held.get(slot, ())) if slot else []
            for callee in reached:
                self._callers[callee].append((ident, site))
        own = {(("m", member.record, member.member), member.source) for member in flow.members}
        self._shared.update(to for to, source in flow.copies if to[0] == "m" and (to, source) not in own)

    def of(self, choice: Choice) -> tuple[list[Provided] | None, set[str]]:
        """Return what callers put into `choice`, and the functions through which it comes down.

        None instead of the former where some pointer comes out of memory, or where others than the program's calls may
        enter on the way: then the caller of the pointer knows no less than the callers above it.
        """
        found: dict[Provided, None] = {}
        complete = True
        seen = {choice}
        work = [choice]
        while work:
            current = work.pop()
            callers = self._callers.get(current.function, ())
            self.asked.add(current.function)
            if not callers or current.function in self._targets.slots_of:
                return None, {c.function for c in seen}
            for caller, site in callers:
                for slot, is_pointer in self._argument(caller, site, current):
                    member = current.member if is_pointer else None
                    for step in self._follow(caller, site, slot, member):
                        if isinstance(step, Provided):
                            found[step] = None
                        elif step is None:
                            complete = False
                        elif step not in seen:
                            seen.add(step)
                            work.append(step)
        return list(found) if complete else None, {*(c.function for c in seen), *(p.provider for p in found)}

    def callers(self, function: str) -> list[tuple[str, Site]]:
        """Return the calls of a function: by id, or by name where it has no body."""
        self.asked.add(function)
        return self._callers.get(function, [])

    def _argument(self, caller: str, site: Site, choice: Choice) -> Iterator[tuple[Slot, bool]]:
        """Yield the slots of `caller` that decide `choice`, each with whether it points to the record instead."""
        given = site.given[choice.parameter] if choice.parameter < len(site.given) else ()
        if choice.member is None:
            yield from ((slot, False) for slot in given if slot[0] != "a")
            return
        for slot in given:
            local = [m for m in self._flows[caller].members if slot[0] == "a" and m.local == slot[2]]
            whole = any(not member.member for member in local) or self._is_lent_outside(caller, slot)
            if slot[0] == "p":
                yield slot, True
            elif slot[0] != "a" or whole or choice.member in self._shared:
                yield choice.member, False
            else:
                yield from ((m.source, False) for m in local if ("m", m.record, m.member) == choice.member)
        if not given:
            yield choice.member, False

    def _is_lent_outside(self, caller: str, local: Slot) -> bool:
        """Tell whether a local's address is passed to a function without a body, which may fill it (memcpy())."""
        unit = self._program.functions[caller].unit
        return local[0] == "a" and any(
            site.callee and self._program.resolve(unit, site.callee) is None
            for site in self._flows[caller].sites
            if any(local in given for given in site.given)
        )

    def _follow(self, caller: str, site: Site, slot: Slot, member: Slot | None) -> Iterator[Provided | Choice | None]:
        """Yield the functions in `slot` of `caller`, the choices that its own callers have, None for memory."""
        unit = self._program.functions[caller].unit
        for source in self._unfold(caller, slot) if slot[0] == "l" else [slot]:
            if source[0] == "p":
                yield Choice(caller, int(source[2]), member)
            elif source[0] != "f":
                yield None
            elif (function := self._program.resolve(unit, source[1])) is not None:
                yield Provided(caller, site, function)

    def _unfold(self, caller: str, slot: Slot) -> list[Slot]:
        """Return where a local's content comes from, other locals of the function followed."""
        found, work = [slot], [slot]
        name = self._program.functions[caller].name
        while work:
            current = work.pop()
            for to, source in self._flows[caller].copies:
                if to == current and source not in found:
                    found.append(source)
                    work += [source] if source[:2] == ("l", name) else []
        return [s for s in found if s[:2] != ("l", name)] or [slot]
