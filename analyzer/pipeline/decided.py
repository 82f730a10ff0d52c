# SPDX-License-Identifier: GPL-2.0-only
"""What a part of a program decides: findings that stand whatever the rest of it holds.

In: the analysis of a part. Out: the same with those violations alone that the rest can neither mend nor explain.

A way is decided where its entry is known whoever else there is, no function on it gives way to one elsewhere, and
nothing elsewhere is called on it that could get at the locks and objects in question. Ways of several threads, which
locks further out may keep apart, are decided only where all their entries are known.

**Invariant:** what is left is among the violations of every program that has these units.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from analyzer.analysis.claims import NOT
from analyzer.analysis.elsewhere import Elsewhere
from analyzer.analysis.obligations import Trail
from analyzer.analysis.problems import Judged, Problem
from analyzer.analysis.summary import Own
from analyzer.facts.store import Store
from analyzer.pipeline.analyse import Analysis, analyse, chosen_rules
from analyzer.pipeline.check import report
from analyzer.pipeline.extract import Extraction
from analyzer.pipeline.options import Silent
from analyzer.report import NoSources, Style, renderer
from analyzer.spec.load import load
from analyzer.spec.model import (
    Atomicity,
    Balance,
    Context,
    Contract,
    GuardedBy,
    IrqSafety,
    LockOrder,
    MustHold,
    MustNotHold,
    OnlyThrough,
    PrecededBy,
    Rule,
)

#: what can be decided by a part: rules that ask what one way does. What nobody does anywhere, only the whole can tell
_DECIDABLE = (
    GuardedBy | MustHold | MustNotHold | OnlyThrough | PrecededBy | Atomicity | Contract
    | Balance | LockOrder | Context | IrqSafety
)  # fmt: skip
#: in place of a lock: whatever is called elsewhere matters
_ANYTHING = ""


def decided(analysis: Analysis) -> Analysis:
    """Return `analysis`, of units that are a part of their program, with what it decides."""
    elsewhere = Elsewhere(analysis.program, analysis.context.graph, analysis.context.spec, analysis.facts_of)
    rules = {rule.id: rule for rule in analysis.rules}
    trails = {
        place: kept
        for place, ways in analysis.trails.items()
        if (kept := tuple(way for way in ways if _way(analysis, elsewhere, rules[place.own.rule], way)))
    }
    judged = {
        name: Judged(one.sites, tuple(p for p in one.problems if _problem(analysis, elsewhere, rules[name], p)))
        for name, one in analysis.judged.items()
    }
    return replace(analysis, trails=trails, judged=judged)


def _way(analysis: Analysis, elsewhere: Elsewhere, rule: Rule, way: Trail) -> bool:
    if way.verdict != "violation" or not isinstance(rule.check, _DECIDABLE):
        return False
    names = {str(mention.name) for mention in rule.mentions if mention.what != "function"} | _held(way) | _claimed(way)
    if isinstance(rule.check, PrecededBy) or not names:
        names.add(_ANYTHING)
    return _stands(analysis, elsewhere, way, names)


def _problem(analysis: Analysis, elsewhere: Elsewhere, rule: Rule, problem: Problem) -> bool:
    if problem.verdict != "violation" or not isinstance(rule.check, _DECIDABLE):
        return False
    entered = [way.entry is not None and way.entry.certain for way in problem.threads]
    if isinstance(rule.check, LockOrder | IrqSafety) and len(entered) > 1 and not all(entered):
        return False
    return all(_stands(analysis, elsewhere, way, {problem.object} | _held(way)) for way in problem.threads)


def _stands(analysis: Analysis, elsewhere: Elsewhere, way: Trail, names: set[str]) -> bool:
    functions = analysis.program.functions
    return not any(functions[ident].ref.weak for ident, _ in way.links) and elsewhere.leaves(way, names)


def _claimed(way: Trail) -> set[str]:
    """Return the locks that the source itself asks for at the end of a way."""
    what = way.links[-1][1].what
    locks = what.locks if isinstance(what, Own) else ()
    return {text.removeprefix(NOT).partition(" ")[0] for text in locks}


def _held(way: Trail) -> set[str]:
    """Return the locks that are held, or were dropped, anywhere on a way."""
    settings = [cause.setting for _, cause in way.links]
    held = {lock.name for setting in settings for lock in setting.held}
    return held | {lock.name for setting in settings for lock in setting.dropped}


def messages_of(extraction: Extraction, store: Store, specs: Sequence[Path], globs: tuple[str, ...]) -> str:
    """Return what the extracted part of a program decides, as a compiler would tell it."""
    spec = load(specs or None)
    rules = chosen_rules(spec, globs)
    part = analyse(extraction, store, spec, rules, Silent(), lenient=True, partial=True)
    found = report(extraction, decided(part))
    return renderer("gcc")(found, NoSources(), Style(quiet=True))
