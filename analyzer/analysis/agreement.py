# SPDX-License-Identifier: GPL-2.0-only
"""Two requirements compared: what one demands that the other does not.

In: what a rule requires and what the source asserts, locks as classes. Out: `Agreement`.

Both are looked at in every combination of their locks being free, held for reading, or held for writing, and of their
predicates: there are few in a requirement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Literal

from analyzer.spec.model import AllOf, AnyOf, Held, Requirement, When

#: `same`; `mode`: the same locks, the first content with a weaker mode; `modes`: the same the other way round; `other`: not one lock in common; `weaker`: the first is content where the
#: second is not; `stronger`: the other way round; `apart`: both; `excused`: the first is content with less only where one
#: of its predicates holds
Agreement = Literal["same", "mode", "modes", "other", "weaker", "stronger", "apart", "excused"]
#: more atoms than this are not looked through
MAX_ATOMS = 8
_STATES = ("", "read", "write")


def agreement(first: Requirement, second: Requirement) -> Agreement | None:
    """Say how `first` stands to `second`; None where there is too much to look through."""
    mine, theirs = locks_in(first), locks_in(second)
    whens = sorted({*whens_in(first), *whens_in(second)})
    locks = sorted({*mine, *theirs})
    if len(locks) + len(whens) > MAX_ATOMS:
        return None
    if not set(mine) & set(theirs):
        return "other"
    weaker, stronger = _compared(first, second, locks, whens, _STATES)
    plainly = _compared(first, second, locks, whens, ("", "write"))
    if not weaker and not stronger:
        return "same"
    if plainly == (False, False):
        return "mode" if weaker else "modes"
    if weaker and not stronger and _compared(first, second, locks, (), _STATES) == (False, False):
        return "excused"
    return "apart" if weaker and stronger else "weaker" if weaker else "stronger"


def _compared(
    first: Requirement, second: Requirement, locks: list[str], whens: Iterable[str], states: tuple[str, ...]
) -> tuple[bool, bool]:
    """Tell whether `first` holds somewhere without `second`, and whether the reverse is so."""
    weaker = stronger = False
    names = tuple(whens)
    for modes in product(states, repeat=len(locks)):
        held = dict(zip(locks, modes, strict=True))
        for truths in product((False, True), repeat=len(names)):
            known = dict(zip(names, truths, strict=True))
            one, other = holds(first, held, known), holds(second, held, known)
            weaker, stronger = weaker or (one and not other), stronger or (other and not one)
    return weaker, stronger


def holds(requirement: Requirement, held: dict[str, str], known: dict[str, bool]) -> bool:
    """Tell whether a requirement holds where these locks are held, each in a mode, and these predicates are known."""
    match requirement:
        case AnyOf(parts):
            return any(holds(part, held, known) for part in parts)
        case AllOf(parts):
            return all(holds(part, held, known) for part in parts)
        case When(text):
            return known.get(text, False)
        case Held(lock, mode):
            return held.get(str(lock), "") in (("write",) if mode == "write" else ("read", "write"))


def locks_in(requirement: Requirement) -> dict[str, str | None]:
    """Return the locks of a requirement, each with the strongest mode that it stands in."""
    found: dict[str, str | None] = {}
    for one in _parts(requirement):
        if isinstance(one, Held):
            known = found.get(str(one.lock))
            found[str(one.lock)] = "write" if "write" in (known, one.mode) else one.mode or known
    return found


def whens_in(requirement: Requirement) -> Iterator[str]:
    """Yield the predicates of a requirement."""
    return (one.text for one in _parts(requirement) if isinstance(one, When))


def _parts(requirement: Requirement) -> Iterator[Requirement]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            for part in parts:
                yield from _parts(part)
        case _:
            yield requirement
