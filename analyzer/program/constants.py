# SPDX-License-Identifier: GPL-2.0-only
"""Members that only ever hold certain constants.

In: every function's flow. Out: for each member that nothing but constants is stored in, their set, and 0: memory that
was cleared.

**Invariant:** a member whose address is handed to anybody, or whose record is filled by other means than copying one of
its kind, is not told of.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from analyzer.program.flow import FlowFacts


def member_constants(flows: Iterable[FlowFacts]) -> Mapping[tuple[str, str], frozenset[int]]:
    """Return the values that members can have, for those where that is known."""
    found: dict[tuple[str, str], set[int]] = defaultdict(lambda: {0})
    computed: set[tuple[str, str]] = set()
    for flow in flows:
        computed.update(flow.computed)
        for record, member, value in flow.constants:
            found[record, member].add(value)
    return {
        cell: frozenset(values)
        for cell, values in found.items()
        if cell not in computed and (cell[0], "") not in computed
    }
