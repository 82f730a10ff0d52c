# SPDX-License-Identifier: GPL-2.0-only
"""Instances in a circle of locks: can each thread wait for the very lock that the next one holds?

In: for each thread the lock it holds and the lock it waits for, over the parameters of its own function. Out: what is the
same object in two threads then, or a contradiction: `lock(src); lock(dst)` where the others have both of one object.

**Invariant:** two objects count as different only where that is known (`locks.differ`).
"""

from __future__ import annotations

from itertools import combinations

from analyzer.analysis.locks import differ
from analyzer.analysis.terms import Term

#: a term of one thread
Node = tuple[int, Term]
#: terms that may stand for different objects in two threads
_VAGUE = frozenset(("P", "r", "phi", "?", "L", "fix", "unknown", "in"))
#: terms of which equal ones have equal parts
_INJECTIVE = {"F": (2, 3), "O": (), "ad": ()}


class Instances:
    """What is one object in the threads of a circle."""

    def __init__(self) -> None:
        self._parents: dict[Node, Node] = {}

    def equate(self, thread: int, mine: Term, other: int, theirs: Term) -> None:
        """Note that two locks of two threads are one."""
        while mine[0] == theirs[0] == "fix":
            mine, theirs = mine[1], theirs[1]
        if "unknown" in (mine[0], theirs[0]):
            return
        while True:
            self._join((thread, mine), (other, theirs))
            same = _INJECTIVE.get(mine[0])
            if same is None or mine[0] != theirs[0] or any(mine[place] != theirs[place] for place in same):
                return
            mine, theirs = mine[1], theirs[1]

    @property
    def contradict(self) -> bool:
        """Tell whether two objects of one thread that are known to differ would have to be one."""
        groups: dict[Node, list[Node]] = {}
        for node in self._parents:
            groups.setdefault(self._root(node), []).append(node)
        return any(
            mine[0] == theirs[0] and differ(mine[1], theirs[1])
            for group in groups.values()
            for mine, theirs in combinations(group, 2)
        )

    def are_one(self, thread: int, mine: Term, other: int, theirs: Term) -> bool:
        """Tell whether two locks of two threads are known to be one, given what was equated."""
        if self._root((thread, mine)) == self._root((other, theirs)):
            return True
        if mine[0] != theirs[0] or len(mine) != len(theirs) or mine[0] in _VAGUE:
            return False
        return all(
            self.are_one(thread, part, other, peer)
            if isinstance(part, tuple) and isinstance(peer, tuple)
            else part == peer
            for part, peer in zip(mine[1:], theirs[1:], strict=True)
        )

    def _root(self, node: Node) -> Node:
        while (parent := self._parents.get(node, node)) != node:
            node = parent
        return node

    def _join(self, one: Node, other: Node) -> None:
        self._parents.setdefault(one, one)
        self._parents.setdefault(other, other)
        self._parents[self._root(one)] = self._root(other)
