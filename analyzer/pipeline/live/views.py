# SPDX-License-Identifier: GPL-2.0-only
"""What an editor shows beside the text: counts above what rules speak of, and what is known of the thing under the cursor.

In: a generation, a file. Out: lenses; a text about a member, a lock or a function: its rules, who holds what, the verdicts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from analyzer.analysis.descent import Place
from analyzer.analysis.locks import lock_class
from analyzer.analysis.names import lock_texts
from analyzer.analysis.watch import Watch
from analyzer.analysis.witness import place_of
from analyzer.findings.explanation import Explanation, Site
from analyzer.findings.lock import LockExplanation
from analyzer.pipeline.explain import explained
from analyzer.pipeline.live.generation import Generation
from analyzer.pipeline.live.standing import Cell, Standing, function_at, member_lines, standing
from analyzer.pipeline.ruling import demand, targets
from analyzer.spec.model import Rule, requirement_of

#: sites, or functions, that a text names one by one
MAX_TOLD = 12
_ORDER = ("proven", "violation", "unknown")


class Lens(Struct, frozen=True):
    """A line that stands above another."""

    #: 1-based
    line: int
    #: `kvm_memory_slot.gmem.file: 4 writes proven`
    title: str
    #: what `explain` is asked about
    target: str


class Views:
    """Answers about one generation."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.analysis = generation.analysis

    @cached_property
    def held_by(self) -> dict[str, list[Place]]:
        """The places that rules speak about, by the function that holds them; looked for when somebody asks."""
        summaries = self.analysis.context.summaries
        found = {ident: [Place(ident, own) for own in summaries[ident].own] for ident in summaries.speaking()}
        return {ident: places for ident, places in found.items() if places}

    @cached_property
    def places(self) -> dict[str, list[Place]]:
        """The same, by what is accessed or called."""
        found: dict[str, list[Place]] = defaultdict(list)
        for places in self.held_by.values():
            for place in places:
                found[place.own.object].append(place)
        return found

    def lenses(self, file: str, lines: Sequence[str]) -> list[Lens]:
        """Return the lenses of a file that has these lines."""
        found = [*self._of_members(file, lines), *self._of_functions(file)]
        return sorted(found, key=lambda lens: (lens.line, lens.title))

    def about(self, file: str, line: int, word: str) -> str:
        """Tell what is known of `word` on a line, as Markdown; empty where nothing is."""
        found = standing(self.generation, file, line, word)
        if found is None:
            return self._held_at(file, line)
        told = self._about_cell(found.cell) if found.cell is not None else self._about_function(found)
        return "\n\n".join(part for part in (*told, self._held_at(file, line)) if part)

    def target(self, file: str, line: int, word: str) -> str:
        """Return what `explain` is to be asked about `word`; empty where it stands for nothing."""
        found = standing(self.generation, file, line, word)
        if found is None:
            return ""
        if found.cell is None:
            return f"{found.name}()"
        return next(iter(self._objects(found.cell)), _spelled(found.cell))

    def explained(self, target: str) -> Explanation | LockExplanation | None:
        """Explain a lock, or a target of which some rule speaks; None for others, which take an analysis of their own."""
        return explained(self.analysis, self.generation.report, target)

    def _of_members(self, file: str, lines: Sequence[str]) -> list[Lens]:
        lenses = []
        for record in self.generation.program.records.values():
            if record.location.file != file:
                continue
            objects = {member.name: self._objects((record.name, member.name)) for member in record.members}
            if any(objects.values()):
                places = member_lines(record, lines)
                lenses += [
                    Lens(places[member], f"{target}: {self._counts(self.places.get(target, []))}", target)
                    for member, some in objects.items()
                    for target in some
                    if member in places
                ]
        return lenses

    def _of_functions(self, file: str) -> list[Lens]:
        lenses = []
        spoken = {watch.object for some in self.analysis.context.watches.calls.values() for watch in some}
        for ident, function in self.generation.program.functions.items():
            if function.ref.location.file != file:
                continue
            line, target = function.ref.location.line, f"{function.name}()"
            if target in spoken:
                lenses.append(Lens(line, f"{target}: {self._counts(self.places.get(target, []))}", target))
            if ident in self.held_by:
                lenses.append(Lens(line, f"in {target}: {self._counts(self.held_by[ident])}", target))
        return lenses

    def _counts(self, places: Sequence[Place]) -> str:
        """Count places by what is done and by verdict: `4 writes proven, 1 violation; 2 reads proven`."""
        if not places:
            return "no place in the analysed units"
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for at in {(place.function, place.own.access, place.own.object, place.own.at) for place in places}:
            same = [p for p in places if (p.function, p.own.access, p.own.object, p.own.at) == at]
            counted[at[1]][self._worst(same)] += 1
        return "; ".join(self._count(access, counted[access]) for access in sorted(counted, reverse=True))

    def _count(self, access: str, verdicts: Counter[str]) -> str:
        parts = [(verdicts[verdict], verdict) for verdict in _ORDER if verdicts[verdict]]
        first, *rest = parts
        noun = f"{access}{'s' if first[0] != 1 else ''}"
        plural = {"violation": "violations"}
        return ", ".join(
            [f"{first[0]} {noun} {first[1]}"]
            + [f"{n} {plural.get(verdict, verdict) if n != 1 else verdict}" for n, verdict in rest]
        )

    def _worst(self, places: Sequence[Place]) -> str:
        trails = self.analysis.trails
        verdicts = {trails[place][0].verdict if trails.get(place) else "proven" for place in places}
        return next(verdict for verdict in ("violation", "unknown", "proven") if verdict in verdicts)

    def _objects(self, cell: Cell) -> list[str]:
        """Return how rules call a member."""
        watches = self.analysis.context.watches
        found: list[Watch] = [*watches.cells.get(cell, ()), *watches.dated.get(cell, ())]
        return sorted({watch.object for watch in found})

    def _about_cell(self, cell: Cell) -> list[str]:
        parts = []
        for target in self._objects(cell):
            told = self.explained(target)
            if isinstance(told, Explanation):
                parts += [f"**{target}** — {self._counts(self.places.get(target, []))}", *_sites(told)]
        if not parts:
            parts.append(f"**{_spelled(cell)}**")
        lock = self._about_lock(_spelled(cell))
        return [*parts, *lock] if lock or len(parts) > 1 else [parts[0], "no rule speaks about it"]

    def _about_lock(self, name: str) -> list[str]:
        """Tell of a lock class which rules ask for it, and who takes it."""
        rules = [rule for rule in self.analysis.rules if name in self._asked(rule)]
        takers = sorted(self._takers(name))
        parts = []
        if rules:
            parts.append("asked for by\n" + "\n".join(f"* `{rule.id}`: {_of(rule)}" for rule in rules[:MAX_TOLD]))
        if takers:
            names = [f"`{self.generation.program.functions[ident].name}()`" for ident in takers]
            more = f" and {len(names) - MAX_TOLD} more" if len(names) > MAX_TOLD else ""
            parts.append(f"taken in {', '.join(names[:MAX_TOLD])}{more}")
        return parts

    def _asked(self, rule: Rule) -> set[str]:
        resolved = self.analysis.names.requirement(requirement_of(rule.check), rule.location)
        return {text.split(" ")[0] for text in lock_texts(resolved)}

    def _takers(self, name: str) -> list[str]:
        summaries = self.analysis.context.summaries
        return [
            ident
            for ident in summaries
            if any(
                one.link is None and one.what == "lock" and lock_class(one.key) == name
                for one in summaries[ident].takes
            )
        ]

    def _about_function(self, found: Standing) -> list[str]:
        target = f"{found.name}()"
        told = self.explained(target)
        parts = [f"**{target}**"]
        if isinstance(told, Explanation):
            parts = [f"**{target}** — {self._counts(self.places.get(target, []))}", *_sites(told)]
        entry = self.analysis.entries.get(found.function)
        if entry is not None:
            parts.append(entry.text)
        if found.function in self.held_by:
            parts.append(f"inside: {self._counts(self.held_by[found.function])}")
        own = self._taken_in(found.function)
        return [*parts, f"takes {', '.join(own)}"] if own else parts

    def _taken_in(self, ident: str) -> list[str]:
        summaries = self.analysis.context.summaries
        takes = summaries[ident].takes if ident in summaries else ()
        names = (lock_class(one.key) for one in takes if one.link is None and one.what == "lock")
        return [f"`{name}`" for name in sorted({name for name in names if name})]

    def _held_at(self, file: str, line: int) -> str:
        """Tell which locks the function itself holds at the calls and accesses of a line."""
        function = function_at(self.generation, file, line)
        if function is None:
            return ""
        sites = [
            site
            for site in self.analysis.context.summaries.locks(function.id)
            if place_of(self.generation.program, function.id, site.at).line == line
        ]
        if not sites:
            return ""
        common = set.intersection(*({lock.name for lock in site.must.held if lock.name} for site in sites))
        held = ", ".join(f"`{name}`" for name in sorted(common))
        return f"held here by `{function.name}()` itself: {held or 'nothing'}"


def _sites(told: Explanation) -> list[str]:
    """Tell the rules, and at each place who holds what."""
    parts = ["\n".join(f"* `{rule.id}`: {rule.requirement}; {rule.why}" for rule in told.rules)]
    rows = [f"* {site.access} in `{site.function}()`, {site.location}: {_verdict(site)}" for site in told.sites]
    if rows:
        more = [f"* and {len(rows) - MAX_TOLD} more"] if len(rows) > MAX_TOLD else []
        parts.append("\n".join([*rows[:MAX_TOLD], *more]))
    return parts


def _verdict(site: Site) -> str:
    """Tell what is held on all ways to a place, and the verdict."""
    ways = [{held.lock for held in way.held} for way in site.ways]
    held = sorted(set.intersection(*ways)) if ways else []
    return f"**{site.verdict}**, holding {', '.join(held) if held else 'nothing on all ways'}"


def _of(rule: Rule) -> str:
    spoken: Mapping[str, None] = dict.fromkeys(targets(rule))
    return f"{', '.join(spoken)}: {demand(rule)}" if spoken else rule.title or rule.why


def _spelled(cell: Cell) -> str:
    return ".".join(part for part in cell if part)
