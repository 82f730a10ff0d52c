# SPDX-License-Identifier: GPL-2.0-only
"""Marks: what rules keep of the way that a state has come.

In: marks of two states at a join, of states at the end of a loop's pass, of those in which a function returns. Out: marks
that stand for both, of an earlier pass, or for callers.

  ("after", rule, owner)   1: the earlier call of a `preceded-by` rule came, about a lock of `owner` (None: no lock, or a
                           global one); 0: something made it stale since. EVERY instead of an owner: all of them
  ("stale", rule)          something made earlier calls stale on this way; 2: in the call at hand
  ("depth", "")            calls between this function and the nearest one where something came or was made stale
  ("quiet", rule, object)  the object was made on this way, and nothing made earlier calls stale since

Those of `atomicity` rules are told in `dating`, those of `grace-period` rules in `lent`.

**Invariant:** marks are there only if a rule asks for them: without one, states and summaries are what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analyzer.analysis.locks import exported_lock
from analyzer.analysis.terms import Term, contains, is_entry_term

#: stands for all objects
EVERY: Term = ("?", -1, "every")
Marks = tuple[tuple[Term, Any], ...]
DEPTH: Term = ("depth", "")
#: what came before, and what made that stale
CAME = frozenset(("after", "stale", "depth"))


def exported(marks: dict[Term, Any]) -> Marks:
    """Return the marks that callers are told."""
    found: dict[Term, Any] = {}
    for key, value in marks.items():
        if key[0] == "stale":
            found[key] = 1
        elif key[0] == "depth" or (key[0] == "after" and (key[2] is None or key[2] == EVERY or is_entry_term(key[2]))):
            found[key] = value
        elif key[0] == "after":
            found[("after", key[1], EVERY)] = min(value, found.get(("after", key[1], EVERY), 1))
        elif key[0] == "retaken" and (lock := exported_lock(key[2])) is not None:
            found[("retaken", "", lock)] = value
    return tuple(sorted(found.items(), key=repr))


def common(groups: list[Marks]) -> Marks:
    """Return marks that stand for all of `groups`: what came on all of them, and what made that stale on any."""
    tables = [dict(group) for group in groups]
    found: dict[Term, Any] = {}
    for key in dict.fromkeys(key for table in tables for key in table):
        values = [table.get(key) for table in tables]
        if key[0] != "after" or 0 in values:
            found[key] = min(value for value in values if value is not None)
        elif None not in values:
            found[key] = 1
    return tuple(sorted(found.items(), key=repr))


def merge_marks(old: dict[Term, Any], new: dict[Term, Any]) -> bool:
    """Join the marks of `new` into those of `old`; return whether these changed."""
    changed = False
    for key in old.keys() | new.keys():
        mine, theirs = old.get(key), new.get(key)
        if mine == theirs:
            continue
        if key[0] == "quiet" or (key[0] == "after" and 0 not in (mine, theirs)):
            joined = None
        elif key[0] == "after" or (key[0] == "lent" and 0 in (mine, theirs)):
            joined = 0
        else:
            joined = mine if mine is not None else theirs
        if joined == mine:
            continue
        changed = True
        if joined is None:
            del old[key]
        else:
            old[key] = joined
    return changed


def collapse(tables: list[dict[Term, Any]]) -> None:
    """Give the ways to return, of which `tables` are the marks, what they have in common of what came before."""
    shared = [(key, value) for key, value in common([exported(table) for table in tables]) if key[0] in CAME]
    for table in tables:
        for key in [key for key in table if key[0] in CAME]:
            del table[key]
        table.update(shared)


def inherit(marks: dict[Term, Any], value: Term, merged: Term) -> None:
    """Let what `value` was merged into with another be as old as it is."""
    for key in [key for key in marks if key[0] in ("read", "old") and key[2] == value]:
        marks[(*key[:2], merged, *key[3:])] = marks[key]


def age(marks: dict[Term, Any], is_inner: Callable[[Term], bool]) -> None:
    """Let marks about what was made inside a loop be of an earlier pass: what came is forgotten, not what made it stale."""
    for key in [key for key in marks if len(key) > 2 and isinstance(key[2], tuple) and contains(key[2], is_inner)]:
        value = marks.pop(key)
        if key[0] == "after" and value == 0:
            marks[("after", key[1], EVERY)] = 0
