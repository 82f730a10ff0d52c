# SPDX-License-Identifier: GPL-2.0-only
"""Circles of threads, each of which waits for a lock that the next one holds.

In: nestings. Out: for each set of lock classes that lie on a circle one circle, with a nesting for each thread.

A circle is one only if every wait is blocked by how the next thread holds the lock; if the locks can be the same ones;
and if no two threads would hold a further lock that lets one of them in only. Of circles with the locks of a smaller
one, the smaller one is meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from analyzer.analysis.instances import Instances
from analyzer.analysis.locks import lock_class
from analyzer.analysis.nestings import Beside, Nesting

Circle = tuple[Nesting, ...]
#: locks that all callers of a function hold, by function id
Above = Callable[[str], Beside]
#: steps of a search
MAX_STEPS = 200_000


def blocks(wait: Nesting, hold: Nesting) -> bool:
    """Tell whether a thread that holds a lock as in `hold` blocks one that waits as in `wait`.

    Readers that spin let each other in; those of sleeping locks queue behind a writer that waits. A grace period waits
    for whoever holds the lock at all.
    """
    return wait.what == "grace" or not (
        wait.mode == hold.held_mode == "read" and (wait.waits == "spin" or wait.recursive)
    )


class Search:
    """Finds circles in one set of nestings."""

    def __init__(self, nestings: Iterable[Nesting], above: Above) -> None:
        self._above = above
        self._between: dict[tuple[str, str], list[Nesting]] = defaultdict(list)
        for nesting in nestings:
            if nesting.outer != nesting.inner:
                self._between[nesting.outer, nesting.inner].append(nesting)
        self._trim()
        self._after: dict[str, list[str]] = defaultdict(list)
        for outer, inner in sorted(self._between):
            self._after[outer].append(inner)
            self._between[outer, inner] = _candidates(self._between[outer, inner], above)
        self._steps = 0

    def _trim(self) -> None:
        """Leave out what cannot lie on a circle: classes that nothing is taken in, or that are taken in nothing."""
        while True:
            outers = {outer for outer, _ in self._between}
            inners = {inner for _, inner in self._between}
            idle = [pair for pair in self._between if pair[0] not in inners or pair[1] not in outers]
            if not idle:
                return
            for pair in idle:
                del self._between[pair]

    @property
    def left(self) -> Nesting | None:
        """Return one of the nestings that were looked at if the search was given up, else None."""
        return next(iter(self._between.values()))[0] if self._exhausted else None

    @property
    def _exhausted(self) -> bool:
        return self._steps > MAX_STEPS

    def circles(self) -> list[Circle]:
        """Return the circles, smaller ones first."""
        found: list[tuple[frozenset[str], Circle]] = []
        classes = sorted(self._after)
        for size in range(2, len(classes) + 1):
            for way in self._rounds(classes, size, [names for names, _ in found]):
                circle = self._choose(way)
                if circle is not None:
                    found.append((frozenset(way), circle))
        return [circle for _, circle in found]

    def _rounds(self, classes: list[str], size: int, found: list[frozenset[str]]) -> Iterator[tuple[str, ...]]:
        """Yield the rounds of `size` classes, each from its least class on, that contain none of `found`."""
        for start in classes:
            stack: list[tuple[str, ...]] = [(start,)]
            while stack and not self._exhausted:
                way = stack.pop()
                self._steps += 1
                if len(way) == size:
                    if start in self._after[way[-1]]:
                        yield way
                    continue
                stack.extend(
                    (*way, name)
                    for name in reversed(self._after[way[-1]])
                    if name > start and name not in way and not any(names <= {*way, name} for names in found)
                )

    def _choose(self, way: tuple[str, ...]) -> Circle | None:
        """Return nestings for a round of classes that can happen at once, certain ones if there are such."""
        hops = [self._between[pair] for pair in zip(way, (*way[1:], way[0]), strict=True)]
        for certain in (True, False):
            pools = [[one for one in hop if not (certain and one.doubt)] for hop in hops]
            circle = self._pick((), pools)
            if circle is not None:
                return circle
        return None

    def _pick(self, chosen: Circle, pools: list[list[Nesting]]) -> Circle | None:
        if len(chosen) == len(pools):
            return chosen if blocks(chosen[-1], chosen[0]) and self._can_meet(chosen) else None
        for one in pools[len(chosen)]:
            self._steps += 1
            if self._exhausted or (chosen and not blocks(chosen[-1], one)):
                continue
            circle = self._pick((*chosen, one), pools)
            if circle is not None:
                return circle
        return None

    def _can_meet(self, circle: Circle) -> bool:
        instances = Instances()
        for thread, one in enumerate(circle):
            following = (thread + 1) % len(circle)
            instances.equate(thread, one.inner_key, following, circle[following].outer_key)
        return not instances.contradict and not self._is_gated(circle, instances)

    def _is_gated(self, circle: Circle, instances: Instances) -> bool:
        """Tell whether two of the threads would hold one lock that does not let both in."""
        own = {one.outer for one in circle}
        beside = [
            [(key, mode) for key, mode in (*one.beside, *self._above(one.function)) if lock_class(key) not in own]
            for one in circle
        ]
        return any(
            "write" in (mode, other) and instances.are_one(first, key, second, peer)
            for first, second in combinations(range(len(circle)), 2)
            for key, mode in beside[first]
            for peer, other in beside[second]
        )


def _candidates(nestings: list[Nesting], above: Above) -> list[Nesting]:
    """Return the nestings that differ in what matters, the plainest first."""
    shapes: dict[tuple[object, ...], Nesting] = {}
    for one in sorted(nestings, key=_plainness):
        keys = (one.outer_key, one.inner_key, *(key for key, _ in one.beside))
        modes = (one.held_mode, one.mode, one.what, one.waits, bool(one.doubt), *(mode for _, mode in one.beside))
        shapes.setdefault((modes, _pattern(keys, {}), above(one.function)), one)
    return list(shapes.values())


def _pattern(term: tuple[object, ...], names: dict[tuple[object, ...], int]) -> tuple[object, ...]:
    """Return `term` with its variables numbered: two that differ in their names alone become equal."""
    if term and term[0] in ("P", "L", "r", "phi", "?"):
        return ("var", names.setdefault(term, len(names)))
    return tuple(_pattern(part, names) if isinstance(part, tuple) else part for part in term)


def _plainness(one: Nesting) -> tuple[object, ...]:
    return (
        bool(one.doubt),
        len(one.beside),
        one.held_mode != "write",
        one.link is not None,
        one.function,
        one.at.line,
        one.at.column,
    )
