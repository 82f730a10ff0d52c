# SPDX-License-Identifier: GPL-2.0-only
"""Conditions and numbers of generated programs.

In: what a function can name. Out: expressions that read it.
"""

from __future__ import annotations

from tests.properties import program as p
from tests.properties.dice import Dice

COMPARISONS = ("==", "!=", "<", ">=", ">", "<=")


def number(dice: Dice, names: list[p.Variable | p.Member]) -> p.Expression:
    """Return something that can be read."""
    match dice.below(12):
        case 0 | 1:
            return p.Number(dice.pick(p.CONSTANTS))
        case 2:
            return p.Pick()
        case 3 if names:
            return p.Arithmetic(dice.pick(("&", "+", "-")), dice.pick(names), p.Number(1))
        case _:
            return dice.pick(names) if names else p.Number(0)


def condition(dice: Dice, names: list[p.Variable | p.Member], depth: int = 0) -> p.Expression:
    """Return a condition without effects."""
    kind = dice.below(14)
    if kind < 4 and names:
        return dice.pick(names)
    if kind < 7 and names:
        return p.Compare(dice.pick(COMPARISONS), dice.pick(names), p.Number(dice.pick(p.CONSTANTS)))
    if kind < 9:
        return p.Not(condition(dice, names, depth + 1))
    if kind < 11 and depth < 2:
        return p.Both(condition(dice, names, depth + 1), condition(dice, names, depth + 1), dice.chance(50))
    if kind == 11 and len(names) > 1:
        return p.Compare(dice.pick(COMPARISONS), dice.pick(names), dice.pick(names))
    if kind == 12 and names:
        return p.Compare("!=", p.Arithmetic("&", dice.pick(names), p.Number(dice.pick((1, 2)))), p.Number(0))
    return p.Compare(dice.pick(COMPARISONS), p.Pick(), p.Number(0))
