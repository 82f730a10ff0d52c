# SPDX-License-Identifier: GPL-2.0-only
"""What lockspec says of a program against what happens when it runs.

In: a program. Out: `Judged`: what is wrong with what is said, which must be nothing, and how precise the rest is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from analyzer.analysis.locksets import HeldAt, SiteLocks
from analyzer.analysis.ways import Callers, HeldIn
from analyzer.pipeline.analyse import Analysis
from tests.properties import program as p
from tests.properties.interpreter import MAX_RUNS, Moment, observe
from tests.properties.printer import Printed, all_points, print_program
from tests.properties.verdicts import OBSERVER, analysed, verdicts


@dataclass
class Judged:
    """What became of one program or of several."""

    #: what is said and not so: none is allowed
    wrong: list[str] = field(default_factory=list)
    #: verdicts and their precision
    count: Counter[str] = field(default_factory=Counter)
    text: str = ""


@dataclass
class _Said:
    """What lockspec says, and what happened at one place."""

    name: str
    function: str
    site: SiteLocks
    moments: set[Moment]


def judge(program: p.Program, max_runs: int = MAX_RUNS) -> Judged:
    """Run `program`, have it analysed, and compare."""
    printed, observed = print_program(program), observe(program, max_runs)
    points = {point.number: point for point in all_points(program)}
    analysis = analysed(printed.text, list(points.values()))
    judged = Judged(text=printed.text)
    told = verdicts(analysis)
    for (number, rule), verdict in told.items():
        if rule != OBSERVER:
            moments = observed.points.get(number, set())
            _verdict(judged, points[number], rule, verdict, moments, complete=observed.complete)
    judged.wrong += [f"p{n} is reached, and not seen" for n in observed.points if (n, OBSERVER) not in told]
    callers = Callers(analysis.context.graph, analysis.context.summaries, analysis.entries)
    for said in _said(analysis, printed, program, observed.points, observed.sites):
        _locksets(judged, analysis, callers, said)
    return judged


# -- verdicts --------------------------------------------------------------------------------------------------------


def _verdict(judged: Judged, point: p.Point, rule: str, verdict: str, moments: set[Moment], *, complete: bool) -> None:
    without = [moment for moment in moments if not _meets(moment, point, rule)]
    judged.count[verdict] += 1
    if verdict == "proven" and without:
        judged.wrong.append(f"p{point.number} is proven for {rule}, and reached with {_spell(without[0])}")
    if verdict == "violation" and complete and moments:
        judged.count["violation of a place that is reached"] += 1
        judged.count["violation that does not happen"] += not without
    if verdict == "unknown" and complete and moments:
        judged.count["unknown, and held on every way"] += not without


def _meets(moment: Moment, point: p.Point, rule: str) -> bool:
    name, mode = rule.split("/")
    # of a pointer that the function changes, the box is not told: any will do
    box = dict(moment.pointers).get(point.pointer)
    return any(
        _class(lock) == name and mode in (held, "read") and (box is None or not lock[0] or lock[0] == box)
        for lock, held in moment.held
    )


def _class(lock: tuple[str, str]) -> str:
    """Return the class of a concrete lock; none for the one that an entry point was given by pointer."""
    holder, name = lock
    return f"box.{name}" if holder.startswith("box") else "" if holder else name


def _spell(moment: Moment) -> str:
    return ", ".join(sorted(f"{'.'.join(lock)} ({mode})" for lock, mode in moment.held)) or "nothing"


# -- locksets --------------------------------------------------------------------------------------------------------


def _said(
    analysis: Analysis,
    printed: Printed,
    program: p.Program,
    points: dict[int, set[Moment]],
    sites: dict[int, set[Moment]],
) -> Iterable[_Said]:
    """Yield every place that the analysis has locksets for, with what happened there."""
    by_line = {line: number for number, line in printed.lines.items()}
    for ident, function in analysis.program.functions.items():
        for site in analysis.context.summaries.locks(ident):
            name = site.what.split(" ")[0]
            if name.startswith("p.c:"):
                # the guards' functions are no part of the program as a value
                number = by_line.get(function.ref.first_line + site.at.line)
                if number is not None and function.name in {one.name for one in program.functions}:
                    yield _Said(f"call {number}", ident, site, sites.get(number, set()))
            elif site.what.endswith(" write"):
                number = int(name.rpartition("p")[2])
                yield _Said(f"p{number}", ident, site, points.get(number, set()))


def _locksets(judged: Judged, analysis: Analysis, callers: Callers, said: _Said) -> None:
    """Hold the locksets of one place, the function's own and those with its callers, against what happened."""
    if not said.moments:
        return
    at, what = said.site.at, said.site.what
    ways, n_more = callers.ways(said.function, said.site.must, _never, 10_000)
    assert not n_more
    certain = [{(held.lock.name, held.lock.mode) for held in way.held} for way in ways]
    must = _common(certain)
    may = callers.may_at(said.function, at, what)
    judged.count["lockset"] += 1
    judged.count["lockset that must be held by some"] += bool(must)
    judged.count["lockset that is open"] += may.open
    for moment in said.moments:
        held = {(_class(lock), mode) for lock, mode in moment.held}
        for name, mode in must:
            if name and not any(one == name and mode in (how, "read") for one, how in held):
                judged.wrong.append(f"{said.name}: must hold {name} ({mode}), holds {_spell(moment)}")
        judged.wrong += [
            f"{said.name}: holds {name} ({mode}), may not"
            for name, mode in held
            if not _allowed(name, mode, may.held, may.open)
        ]
        judged.wrong += _instances(said, moment)
    _narrow(judged, said, must)


def _never(_: tuple[HeldIn, ...]) -> bool:
    return False


def _common(sets: list[set[tuple[str, str]]]) -> set[tuple[str, str]]:
    """Return what is in all of the sets; a lock that some hold for writing and others for reading is held for reading."""
    weak = [one | {(name, "read") for name, _ in one} for one in sets]
    return set.intersection(*weak) if weak else set()


def _allowed(name: str, mode: str, may: tuple[HeldAt, ...], is_open: bool) -> bool:
    # "" is a lock that the function was given by pointer
    return is_open or not name or any(lock.name in (name, "") and lock.mode == mode for lock in may)


def _instances(said: _Said, moment: Moment) -> Iterable[str]:
    """Hold the instances that the function names itself against the objects that its pointers led to."""
    pointers = dict(moment.pointers)
    held = {lock for lock, _ in moment.held}
    for lock in said.site.must.held:
        base, _, member = lock.text.partition("->")
        if member and base in pointers and (pointers[base], member) not in held:
            yield f"{said.name}: must hold {lock.text}, holds {_spell(moment)}"


def _narrow(judged: Judged, said: _Said, must: set[tuple[str, str]]) -> None:
    """Count locks that are held each time, and that the analysis does not know to be."""
    always = set.intersection(*({_class(lock) for lock, _ in moment.held} for moment in said.moments))
    judged.count["lock held each time"] += len(always - {""})
    judged.count["lock held each time and not known to be"] += len(always - {""} - {name for name, _ in must})
