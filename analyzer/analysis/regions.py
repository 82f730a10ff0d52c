# SPDX-License-Identifier: GPL-2.0-only
"""What a branch decides: blocks that control comes to only on one of its ways.

In: FunctionIR. Out: for a block, the blocks between it and where its ways are together again.
"""

from __future__ import annotations

from analyzer.analysis.tested import successors_of
from analyzer.ir.function import FunctionIR, Return


class Regions:
    """Knows what the branches of one function decide."""

    def __init__(self, ir: FunctionIR) -> None:
        self._successors = [successors_of(block) for block in ir.blocks]
        self._after = _postdominators(self._successors, [isinstance(block.terminator, Return) for block in ir.blocks])

    def decided(self, block: int) -> frozenset[int]:
        """Return the blocks that control comes to, or not, because of how `block` ends."""
        after = self._after[block] & ~(1 << block)
        seen: set[int] = set()
        work = list(self._successors[block])
        while work:
            number = work.pop()
            if number in seen or after >> number & 1:
                continue
            seen.add(number)
            work += self._successors[number]
        return frozenset(seen)


def _postdominators(successors: list[tuple[int, ...]], leaves: list[bool]) -> list[int]:
    """Return for each block those that every way from it to a return goes through, itself among them, as bits.

    Of a block from which no return can be reached, all do: it decides nothing for the others.
    """
    everything = (1 << len(successors)) - 1
    after = [1 << number if leaf else everything for number, leaf in enumerate(leaves)]
    changed = True
    while changed:
        changed = False
        for number in reversed(range(len(successors))):
            if leaves[number] or not successors[number]:
                continue
            common = everything
            for target in successors[number]:
                common &= after[target]
            common |= 1 << number
            if common != after[number]:
                after[number], changed = common, True
    return after
