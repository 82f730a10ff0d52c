# SPDX-License-Identifier: GPL-2.0-only
"""Summaries of all functions, callees first.

In: the linked program with its facts, the specification, the watches of the rules. Out: summaries by function id.
"""

import gc
from bisect import insort
from collections.abc import Callable

from msgspec.structs import replace

from analyzer.analysis.context import Context, Scope
from analyzer.analysis.function import analyse
from analyzer.analysis.keys import Keys
from analyzer.analysis.memo import Keep, Packed, decode_component, encode_component, pack
from analyzer.analysis.outcomes import settled
from analyzer.analysis.rounds import Rounds
from analyzer.analysis.summarise import settled_demands
from analyzer.analysis.summary import PLAIN, FunctionSummary
from analyzer.base.collection import without_collection
from analyzer.base.gap import Gap, GapKind
from analyzer.base.location import Location
from analyzer.facts.unit import FunctionFacts
from analyzer.ir.function import Call, Claim, FunctionIR, Return
from analyzer.ir.values import AddressOf

#: a function without locks is still looked into for the value it returns, if it is this small
SMALL = 4
#: and one that returns addresses, if it is this small
SMALL_FINDER = 12
#: visits of one of several mutually recursive functions before their summaries are taken as they are
MAX_VISITS = 24

#: visits of such a function after which its ways to return are told apart by locks only
PATIENCE = 3

FactsOf = Callable[[str], FunctionFacts]


def solve(context: Context, facts_of: FactsOf, keys: Keys, keep: Keep, advance: Callable[[], None]) -> None:
    """Fill `context.summaries` for every function of the program."""
    # terms, states and summaries hold no cycles, and there are many of them
    with without_collection():
        _solve(context, facts_of, keys, keep, advance)
        # nor will later collections find any cycles among them
        gc.freeze()


def _solve(context: Context, facts_of: FactsOf, keys: Keys, keep: Keep, advance: Callable[[], None]) -> None:
    for component in context.graph.components():
        settle(context, component, facts_of, keys, keep)
        for _ in component:
            advance()


def settle(context: Context, component: list[str], facts_of: FactsOf, keys: Keys, keep: Keep) -> None:
    """Find the summaries of one component, whose callees have theirs, among those that are kept, or make them."""
    key = keys.key(component)
    kept = keep.find(key)
    packed = decode_component(kept) if kept is not None else None
    if packed is None or len(packed) != len(component):
        packed = _solve_component(context, component, facts_of)
        keep.keep(key, encode_component(list(packed)))
    for ident, one in zip(component, packed, strict=True):
        context.summaries.settle(ident, one)


def _solve_component(context: Context, component: list[str], facts_of: FactsOf) -> tuple[Packed, ...]:
    """Summarise mutually recursive functions until no summary changes in a way that callers can see."""
    inside = set(component)
    context.pending = inside
    drafts: dict[str, FunctionSummary] = {}
    packed: dict[str, Packed] = {}
    unsettled = False
    visits = dict.fromkeys(component, 0)
    rounds = {ident: Rounds(context.summaries) for ident in component} if len(component) > 1 else {}
    rank = {ident: place for place, ident in enumerate(_callees_first(context, component))}
    work = sorted(component, key=rank.__getitem__)
    while work:
        ident = work.pop(0)
        visits[ident] += 1
        found = summarise_function(context, ident, facts_of(ident), rounds.get(ident))
        if visits[ident] > PATIENCE:
            before_it = drafts[ident]
            found = replace(
                found,
                outcomes=settled(before_it.outcomes, found.outcomes),
                demands=settled_demands(before_it.demands, found.demands),
            )
        drafts[ident] = found
        context.summaries.draft(ident, drafts[ident])
        before = packed.get(ident)
        packed[ident] = pack(drafts[ident])
        if before is not None and before.view == packed[ident].view:
            continue
        callers = sorted(context.graph.dependents[ident] & inside)
        if visits[ident] >= MAX_VISITS:
            unsettled = True
            continue
        for caller in callers:
            if caller not in work and caller in drafts:
                insort(work, caller, key=rank.__getitem__)
    if unsettled:
        packed = _note_no_fixpoint(context, drafts)
    context.pending = set()
    return tuple(packed[ident] for ident in component)


def _callees_first(context: Context, component: list[str]) -> list[str]:
    """Return the component's functions, each after those that it calls as far as recursion lets them."""
    inside, seen, order = set(component), set[str](), list[str]()
    for start in component:
        stack = [] if start in seen else [(start, iter(sorted(context.graph.dependents[start] & inside)))]
        seen.add(start)
        while stack:
            callers = stack[-1][1]
            caller = next((caller for caller in callers if caller not in seen), None)
            if caller is None:
                order.append(stack.pop()[0])
            else:
                seen.add(caller)
                stack.append((caller, iter(sorted(context.graph.dependents[caller] & inside))))
    return order[::-1]


def _note_no_fixpoint(context: Context, drafts: dict[str, FunctionSummary]) -> dict[str, Packed]:
    names = ", ".join(context.program.functions[ident].name for ident in list(drafts)[:3])
    for ident, known in drafts.items():
        gap = Gap(GapKind.ANALYSIS, Location("", 0), f"recursion through {names}: locks did not settle")
        drafts[ident] = replace(known, outcomes=known.outcomes or PLAIN.outcomes, gaps=(*known.gaps, gap))
        context.summaries.draft(ident, drafts[ident])
    return {ident: pack(summary) for ident, summary in drafts.items()}


def summarise_function(
    context: Context, ident: str, facts: FunctionFacts, rounds: Rounds | None = None
) -> FunctionSummary:
    """Return the summary of one function, given those of its callees."""
    scope = Scope(context, ident, facts, rounds)
    if len(facts.ir.blocks) > SMALL and not _is_finder(facts.ir) and not _is_relevant(scope):
        return PLAIN
    return analyse(scope)


def _is_finder(ir: FunctionIR) -> bool:
    """Tell whether a function is small and returns addresses of what is inside something else."""
    returned = (block.terminator.value for block in ir.blocks if isinstance(block.terminator, Return))
    return len(ir.blocks) <= SMALL_FINDER and any(isinstance(value, AddressOf) for value in returned)


def _is_relevant(scope: Scope) -> bool:
    """Tell whether locks or rules can matter inside the function."""
    context = scope.context
    if scope.watched:
        return True
    watched_calls, primitives = context.watches.heard, context.spec.primitives
    for name in scope.facts.calls:
        if name in primitives or name in watched_calls:
            return True
    return any(
        scope.matters(event)
        for block in scope.facts.ir.blocks
        for event in block.events
        if isinstance(event, Call | Claim)
    )
