# SPDX-License-Identifier: GPL-2.0-only
"""What people state about the targets of indirect calls.

In: the rows under `targets:`. Out: for a call through a slot, the functions that it reaches.

**Invariant:** a row that names no function of the program, or that no call uses, is an error at its place.
"""

from collections.abc import Sequence

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.program.flow import Slot
from analyzer.program.link import Program
from analyzer.spec.model import TargetOverride
from analyzer.spec.suggest import did_you_mean


class Overrides:
    """The rows, applied to one program."""

    def __init__(self, program: Program, rows: Sequence[TargetOverride]) -> None:
        self._program = program
        self._rows = rows
        self._named: dict[str, list[str]] = {}
        for ident in sorted(program.functions) if rows else ():
            self._named.setdefault(program.functions[ident].name, []).append(ident)
        self._used: set[Location] = set()

    def reached(self, caller: str, slot: Slot) -> list[str] | None:
        """Return what a call through `slot` in the function named `caller` reaches; None if no row says so."""
        for row in self._rows:
            if row.within and row.within != caller:
                continue
            if _names(row.call.parts, slot):
                self._used.add(row.location)
                return sorted(ident for name, _ in row.reaches for ident in self._named.get(name, ()))
        return None

    def errors(self) -> list[SpecError]:
        """Return what is wrong with the rows, once all calls are known."""
        wrong = [
            SpecError(f"no function '{name}' in the analysed units{did_you_mean(name, self._named)}", place)
            for row in self._rows
            for name, place in row.reaches
            if name not in self._named
        ]
        for row in self._rows:
            if row.location not in self._used:
                where = f" in {row.within}()" if row.within else ""
                wrong.append(SpecError(f"no indirect call through {row.call}{where}: the row has no use", row.location))
        return wrong


def _names(parts: tuple[str, ...], slot: Slot) -> bool:
    """Tell whether a specification's name means `slot`: a member, or a global, parameter, local or static call."""
    if len(parts) > 1:
        return slot == ("m", ".".join(parts[:-1]), parts[-1])
    return (slot[0] in ("g", "s") and slot[1] == parts[0]) or (slot[0] == "l" and slot[2] == parts[0])
