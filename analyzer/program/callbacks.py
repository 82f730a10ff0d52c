# SPDX-License-Identifier: GPL-2.0-only
"""Functions handed to others that call them: now or later, here or on another processor.

In: the rows of a specification, and where function pointers go. Out: edges from whoever hands a function over, and the
functions that are called later, which start without any of its locks.

**Invariant:** a row about a function speaks where no unit defines it; a body is followed instead.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from analyzer.program.flow import FlowFacts, Site, Slot
from analyzer.program.link import Program
from analyzer.program.providers import Choice, Provided, Providers
from analyzer.program.targets import Targets
from analyzer.spec.model import Callback


class Handed(Struct, frozen=True):
    """A function that `provider` hands over at `site`."""

    provider: str
    site: Site
    function: str
    row: Callback


class Callbacks:
    """The rows, applied to one program."""

    def __init__(
        self,
        program: Program,
        flows: Mapping[str, FlowFacts],
        targets: Targets,
        providers: Providers,
        rows: Sequence[Callback],
    ) -> None:
        self._program = program
        self._flows = flows
        self._targets = targets
        self._providers = providers
        self._defined = {function.name for function in program.functions.values() if not function.ref.static}
        self.rows = [row for row in rows if not row.function or row.function not in self._defined]
        #: why a function is called later, and how, by function id
        self.later: dict[str, Callback] = {}
        #: functions that a function without a body calls before it returns, by its name
        self.run_by: dict[str, set[str]] = {}
        #: functions that the callees of a function may call on its behalf, by function id
        self.answers: dict[str, set[str]] = {}
        for row in self.rows:
            if row.runs == "now" and row.function:
                self.run_by.setdefault(row.function, set()).update(targets.held.get(slot_of_row(row), ()))
            if row.runs == "later" and row.waits is None:
                for function in sorted(targets.held.get(slot_of_row(row), ())):
                    self.later.setdefault(function, row)

    def handed(self) -> Iterator[Handed]:
        """Yield every function that is handed over, with whoever does it."""
        for row in self.rows:
            slot = slot_of_row(row)
            if not self._targets.held.get(slot):
                continue
            found = self._by_argument(row, slot) if row.function else self._by_member(slot)
            for provided in found:
                yield Handed(provided.provider, provided.site, provided.function, row)

    def _by_argument(self, row: Callback, slot: Slot) -> Iterator[Provided]:
        found, way = self._providers.of(Choice(row.function, row.argument, None))
        held = self._targets.held[slot]
        for ident in way:
            self.answers.setdefault(ident, set()).update(held)
        if found is None:
            callers = self._providers.callers(row.function)
            found = [Provided(caller, site, function) for caller, site in callers for function in sorted(held)]
        for provided in found:
            self.answers.setdefault(provided.provider, set()).add(provided.function)
            yield provided

    def _by_member(self, slot: Slot) -> Iterator[Provided]:
        for ident in sorted(self._flows):
            for to, source, at in self._flows[ident].lodged:
                if to != slot:
                    continue
                if source[0] == "f":
                    function = self._program.resolve(self._program.functions[ident].unit, source[1])
                    if function is not None:
                        yield Provided(ident, Site("", slot, (), at), function)
                else:
                    yield from self._providers.of(Choice(ident, int(source[2]), None))[0] or ()


def slot_of_row(row: Callback) -> Slot:
    """Return the slot that a row's functions stand in."""
    if row.function:
        return ("p", row.function, str(row.argument))
    assert row.member is not None
    return slot_named(row.member.parts)


def slot_named(parts: tuple[str, ...]) -> Slot:
    """Return the slot that a specification names: a record's member, or a global."""
    return ("m", ".".join(parts[:-1]), parts[-1]) if len(parts) > 1 else ("g", parts[0], "")
