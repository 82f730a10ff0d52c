# SPDX-License-Identifier: GPL-2.0-only
"""Random structured programs, most of them with some discipline: what is taken is dropped again, on most ways.

In: Hypothesis's `draw`. Out: `Program`: a few functions that wrap primitives, then functions made of locked sections,
attempts, guards, branches, loops, early exits, and calls of those before them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.properties import program as p
from tests.properties.body import Body
from tests.properties.dice import Dice
from tests.properties.wrappers import Made, Names, wrappers

MAX_FUNCTIONS = 4
_BELOW = [st.integers(0, max(0, n - 1)) for n in range(101)]


@st.composite
def programs(draw: st.DrawFn) -> p.Program:
    """Return a strategy for programs."""
    return _Generator(Dice(lambda n: draw(_BELOW[n]))).program()


def seeded(seed: int) -> p.Program:
    """Return the program of a seed."""
    return _Generator(Dice(random.Random(seed).randrange)).program()  # noqa: S311 - not a secret, a seed


@dataclass
class _Generator:
    dice: Dice
    names: Names = field(default_factory=Names)

    def program(self) -> p.Program:
        made: list[Made] = []
        for _ in range(self.dice.below(3)):
            made += wrappers(self.dice, self.names)
        for index in range(1 + self.dice.below(MAX_FUNCTIONS)):
            made.append(self.function(f"f{index}", made))
        return p.Program(tuple(one.function for one in made))

    def function(self, name: str, made: list[Made]) -> Made:
        pointers: tuple[str, ...] = self.dice.pick((("a",), ("a", "b"), (), ("l",)))
        numbers: tuple[str, ...] = self.dice.pick((("n",), ("n", "k"), ()))
        ints, bools = self.dice.pick(((), ("v",), ("v", "w"))), self.dice.pick(((), ("t",)))
        boxes = ("x",) if len(pointers) == 2 and self.dice.chance(25) else ()
        shell = p.Function(name, pointers, numbers, ("i", "j", *ints), bools, boxes, (), ())
        return Body(self.dice, self.names, shell, made).function()
