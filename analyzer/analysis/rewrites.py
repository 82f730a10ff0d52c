# SPDX-License-Identifier: GPL-2.0-only
"""Members that callees wrote on a path, by the call that did so last.

In: sets of members as bits (`Conducts.bit`), and the calls that write them. Out: which call was the last for a member.

A call may write hundreds of members, of which few are read afterwards: so they are kept as sets, one for a call.

**Invariant:** a `Rewrites` is never changed; states share it.
"""

from __future__ import annotations

#: sets of members with the call, or the join of paths, after which they are others; the last one comes last
Rewrites = tuple[tuple[int, object], ...]


def after(before: Rewrites, members: int, place: object) -> Rewrites:
    """Return what is written when a call at `place` has written `members` as well."""
    return (*[one for one in before if one[0] & ~members], (members, place))


def last(known: Rewrites, member: int) -> object:
    """Return where a member was written last; 0 if no call wrote it."""
    for members, place in reversed(known):
        if members & member:
            return place
    return 0


def joined(old: Rewrites, new: Rewrites, here: object) -> Rewrites:
    """Return what is written on either of two paths that meet `here`; `old` itself where that says it all."""
    if old is new or old == new:
        return old
    common = 0
    while common < len(old) and common < len(new) and old[common] == new[common]:
        common += 1
    members = 0
    for written, _ in (*old[common:], *new[common:]):
        members |= written
    known = 0
    for written, place in reversed(old):
        if place != here:
            break
        known |= written
    return old if not members & ~known else (*old[:common], (members, here))
