# SPDX-License-Identifier: GPL-2.0-only
"""Witnesses: a trail told step by step, with the locks held at each.

In: a trail. Out: steps from the entry point to the place: `enters kvm_gmem_release() holding nothing`,
`takes kvm.slots_lock`, `calls kvm_gmem_bind() holding kvm.slots_lock`, `writes …`.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from analyzer.analysis.locksets import DroppedAt, HeldAt, Setting
from analyzer.analysis.obligations import Trail
from analyzer.analysis.summary import Own, Passed
from analyzer.analysis.trace import Assumed, Moment, Tracer
from analyzer.base.location import Location
from analyzer.findings.model import Step
from analyzer.ir.function import At
from analyzer.program.link import Program

#: a lock that the function knows only by a pointer that it was given
UNNAMED = "a lock"
_VERBS = {
    "bare read": "reads, without an accessor,",
    "read": "reads",
    "write": "writes",
    "call": "calls",
    "claim": "claims",
    "use": "uses what it read of",
    "acquire": "takes",
    "release": "drops",
    "sleep": "may sleep,",
    "wait": "waits for all who hold",
}
#: where a held lock is really taken: functions below the one that calls for it, each with the place
TakenIn = Callable[[HeldAt], tuple[tuple[str, At], ...]]


class Held(Struct, frozen=True):
    """A lock held somewhere on a trail."""

    name: str
    mode: str
    #: the function that holds it, and where it took it
    function: str
    location: Location
    #: interrupts off and the like
    context: bool = False

    def __str__(self) -> str:
        return f"{self.name} (read)" if self.mode == "read" else self.name


class Dropped(Struct, frozen=True):
    """A lock dropped somewhere on a trail."""

    name: str
    location: Location


class Witness(Struct, frozen=True):
    """The steps of a trail and the locks at its end."""

    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    dropped: tuple[Dropped, ...]


def place_of(program: Program, ident: str, at: At) -> Location:
    """Return the location of `at` in function `ident`."""
    ref = program.functions[ident].ref
    return Location(ref.location.file, ref.first_line + at.line, at.column)


def tell(
    program: Program, trail: Trail, thread: int = 0, taken_in: TakenIn | None = None, tracer: Tracer | None = None
) -> Witness:
    """Return the witness of `trail`.

    With `taken_in`, locks that callees take are followed to where they do; with `tracer`, what each function does is told
    in the order of execution, with the branches on the way.
    """
    first = trail.links[0][0]
    name = program.functions[first].name
    how = f": {trail.entry.text}" if trail.entry else ""
    locks = ", ".join(lock for lock, _ in trail.entry.holds) if trail.entry else ""
    held_at_entry = f"holding {locks or 'nothing'}" if trail.entry else "whatever its callers hold"
    steps = [
        Step(thread, "entry", name, program.functions[first].ref.location, f"enters {name}() {held_at_entry}{how}")
    ]
    entered = trail.entry.holds if trail.entry else ()
    held = [Held(lock, mode, name, program.functions[first].ref.location) for lock, mode in entered]
    dropped: list[Dropped] = []
    for ident, cause in trail.links:
        moments = tracer.moments(ident, cause) if tracer else None
        changes: Sequence[Moment] = _changes(cause.setting) if moments is None else moments
        _add_steps(program, ident, changes, steps, held, dropped, taken_in)
        steps.append(_last_step(program, ident, cause.what, held))
    told = tuple(replace(step, thread=thread) for step in steps) if thread else tuple(steps)
    return Witness(told, tuple(sorted(held, key=_contexts_last)), tuple(dropped))


def _changes(setting: Setting) -> list[HeldAt | DroppedAt]:
    """Return what the function did about locks before the place, in the order of the source."""
    taken = [
        HeldAt(gone.name, gone.mode, gone.acquired, "", gone.context)
        for gone in setting.dropped
        if gone.acquired is not None
    ]
    return sorted([*taken, *setting.held, *setting.dropped], key=_by_place)


def _add_steps(
    program: Program,
    ident: str,
    changes: Sequence[Moment],
    steps: list[Step],
    held: list[Held],
    dropped: list[Dropped],
    taken_in: TakenIn | None,
) -> None:
    """Tell what the function did before the place.

    A context that comes and goes with a lock is told with the lock.
    """
    of_locks = {(c.at, type(c)) for c in changes if not isinstance(c, Assumed) and not c.context}
    for change in changes:
        if isinstance(change, Assumed):
            where = place_of(program, ident, change.at)
            steps.append(Step(0, "branch", program.functions[ident].name, where, change.text, _names(held)))
            continue
        told_with_lock = change.context and (change.at, type(change)) in of_locks
        function, location = program.functions[ident].name, place_of(program, ident, change.at)
        name = change.name or UNNAMED
        if isinstance(change, HeldAt):
            inside = taken_in(change) if taken_in else ()
            steps.extend(_calls_for_lock(program, ident, change.at, inside, held))
            if inside:
                function, location = program.functions[inside[-1][0]].name, place_of(program, *inside[-1])
            held.append(Held(name, change.mode, function, location, change.context))
            mode = " for reading" if change.mode == "read" else ""
            step = Step(0, "acquire", function, location, f"takes {name}{mode}", _names(held))
        else:
            dropped.append(Dropped(name, location))
            last = max((index for index, lock in enumerate(held) if lock.name == name), default=None)
            if last is not None:
                del held[last]
            step = Step(0, "release", function, location, f"drops {name}", _names(held))
        if not told_with_lock:
            steps.append(step)


def _calls_for_lock(
    program: Program, ident: str, at: At, inside: tuple[tuple[str, At], ...], held: list[Held]
) -> Iterator[Step]:
    """Tell the calls from function `ident` down to the one that takes a lock itself."""
    for callee, below in inside:
        name = program.functions[callee].name
        text = f"calls {name}() holding {', '.join(_names(held)) or 'nothing'}"
        yield Step(0, "call", program.functions[ident].name, place_of(program, ident, at), text, _names(held))
        ident, at = callee, below


def _by_place(change: HeldAt | DroppedAt) -> tuple[int, int, int, bool]:
    """Order changes by place, contexts first; a guard is dropped where its scope ends, which is told by its beginning.

    Where a caller's lock is dropped and taken by one call, for another mode, it is dropped first.
    """
    if isinstance(change, DroppedAt) and change.acquired is not None:
        line, column = max((change.at.line, change.at.column), (change.acquired.line, change.acquired.column))
        return (line, column, 2, not change.context)
    return (change.at.line, change.at.column, int(isinstance(change, HeldAt)), not change.context)


def _last_step(program: Program, ident: str, what: Own | Passed, held: list[Held]) -> Step:
    function = program.functions[ident].name
    location = place_of(program, ident, what.at)
    holding = "holding " + (", ".join(_names(held)) or "nothing")
    if isinstance(what, Own) and what.access == "return":
        return Step(0, "access", function, location, f"returns {holding}", _names(held))
    if isinstance(what, Own):
        told = f"{_VERBS[what.access]} {what.object}".rstrip()
        return Step(0, "access", function, location, f"{told} {holding}", _names(held))
    callee = program.functions[what.callee].name if what.callee in program.functions else what.callee
    via = f" through {what.via}" if what.via else ""
    return Step(0, "call", function, location, f"calls {callee}(){via} {holding}", _names(held))


def _names(held: list[Held]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(lock) for lock in sorted(held, key=_contexts_last)))


def _contexts_last(lock: Held) -> bool:
    return lock.context
