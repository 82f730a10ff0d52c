# SPDX-License-Identifier: GPL-2.0-only
"""Functions about which a rule, an assertion and a comment do not agree.

In: rules, the claims of functions, comments above definitions. Out: `Drift`s about `function()`.

Claims about a pointer are those of a place, not of the function, and are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from analyzer.analysis.agreement import agreement, locks_in
from analyzer.analysis.contracts import Contract, taken
from analyzer.analysis.names import NameResolver
from analyzer.analysis.tested import successors_of
from analyzer.analysis.witness import place_of
from analyzer.base.location import Location
from analyzer.facts.unit import FunctionFacts
from analyzer.findings.drift import Drift, DriftKind, Saying
from analyzer.ir.claims import Asked
from analyzer.ir.function import At, Claim, FunctionIR, Return
from analyzer.lower.claims import CONDITION_SHAPE, QUESTION
from analyzer.pipeline.known import Known, Texts
from analyzer.pipeline.link import Linked
from analyzer.pipeline.ruling import demand, spell
from analyzer.source.comments import comment_above, plain
from analyzer.source.sentences import of_locks
from analyzer.spec.model import AllOf, MustHold, MustNotHold, Requirement, Rule, SpecSet

_POINTER = f"{QUESTION}pointer"
_WORDS = {
    "other": "the rule and the assertion name different locks",
    "mode": "the rule and the assertion name the same locks in different modes",
    "weaker": "the rule is content with locks that the assertion does not accept",
    "apart": "the rule and the assertion ask for different things",
    "modes": "the rule asks for writers where the function asserts any mode",
    "stronger": "the rule asks for more than the function asserts",
    "excused": "the rule lets callers off under a condition that the assertion does not know",
}
_KINDS: dict[str, DriftKind] = {"stronger": "unasserted", "modes": "unasserted", "excused": "excused"}


class Functions:
    """Compares what is said of functions."""

    def __init__(
        self,
        linked: Linked,
        spec: SpecSet,
        rules: Iterable[Rule],
        names: NameResolver,
        claims: Iterable[Contract],
        known: Known,
    ) -> None:
        self._linked = linked
        self._spec = spec
        self._names = names
        self._known = known
        self._must: dict[str, list[Rule]] = defaultdict(list)
        self._must_not: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            if isinstance(rule.check, MustHold | MustNotHold):
                found = self._must if isinstance(rule.check, MustHold) else self._must_not
                for function in rule.check.functions:
                    found[function].append(rule)
        self._claims: dict[str, list[Contract]] = defaultdict(list)
        for claim in claims:
            if not self._is_about_pointer(claim):
                self._claims[claim.function].append(claim)
        #: (what, how many)
        self.compared = (("assertions", sum(map(len, self._claims.values()))),)

    def _is_about_pointer(self, claim: Contract) -> bool:
        """Tell whether a claim is the condition of an accessor rather than of the function."""
        return claim.form == CONDITION_SHAPE or claim.at.line in _pointer_lines(self._linked.facts_of(claim.function))

    # -- rules and assertions ---------------------------------------------------------------------------------------

    def drifts(self) -> Iterator[Drift]:
        """Yield what rules and assertions of functions disagree about."""
        for ident in sorted(self._claims):
            yield from self._held(ident)
            yield from self._not_held(ident)
        asserted = {self._name(ident) for ident in self._claims}
        for function, rules in sorted(self._must.items()):
            if function not in asserted and self._linked.program.named(function):
                message = "a rule asks for locks, and the function asserts none"
                yield Drift("unasserted", f"{function}()", message, tuple(map(self._rule, rules)))

    def _held(self, ident: str) -> Iterator[Drift]:
        own = taken(self._linked.facts_of(ident).ir, self._spec)
        claims = [one for one in self._claims[ident] if not one.negated and not set(locks_in(one.requires)) & own]
        about = f"{self._name(ident)}()"
        if not claims:
            return
        rules = self._must.get(self._name(ident), [])
        sayings = (*map(self._rule, rules), *map(self._claim, claims))
        if not rules:
            yield Drift("unruled", about, "the function asserts locks, and no rule is about it", sayings)
            return
        required = AllOf(tuple(self._required(rule) for rule in rules))
        mine = set(locks_in(required))
        shared = [claim for claim in claims if mine & set(locks_in(claim.requires))]
        if not shared:
            yield Drift("assertion", about, _WORDS["other"], sayings)
        elif len(shared) < len(claims):
            others = [claim for claim in claims if claim not in shared]
            message = "the function asserts more locks than the rules about it ask for"
            yield Drift("unruled", about, message, (*map(self._rule, rules), *map(self._claim, others)))
        if shared:
            yield from self._compared(about, required, self._asserted(ident, shared), sayings)

    def _compared(
        self, about: str, required: Requirement, asserted: Requirement | None, sayings: tuple[Saying, ...]
    ) -> Iterator[Drift]:
        """Yield the disagreement about locks that both name; none if the assertions are not all to be understood."""
        if asserted is None:
            return
        needed = locks_in(required)
        if any(mode == "read" and needed.get(lock) == "write" for lock, mode in locks_in(asserted).items()):
            yield Drift("assertion", about, _WORDS["mode"], sayings)
            return
        found = agreement(required, asserted)
        if found is not None and found != "same":
            yield Drift(_KINDS.get(found, "assertion"), about, _WORDS[found], sayings)

    def _asserted(self, ident: str, claims: list[Contract]) -> Requirement | None:
        """Return what all ways through the function assert; None if some only do, or parts are about something else."""
        facts = self._linked.facts_of(ident)
        whole = [claim for claim in claims if not claim.rest and _is_always(facts.ir, claim.at)]
        return AllOf(tuple(claim.requires for claim in whole)) if len(whole) == len(claims) else None

    def _not_held(self, ident: str) -> Iterator[Drift]:
        claims = [claim for claim in self._claims[ident] if claim.negated]
        about = f"{self._name(ident)}()"
        forbidden = {lock for claim in claims for lock in locks_in(claim.requires)}
        for rule in self._must.get(self._name(ident), []):
            needed = locks_in(self._required(rule))
            if len(needed) == 1 and set(needed) & forbidden:
                message = "the rule asks for a lock that the function asserts not to be held"
                yield Drift("assertion", about, message, (self._rule(rule), *map(self._claim, claims)))
        rules = self._must_not.get(self._name(ident), [])
        if claims and rules:
            named = {lock for rule in rules for lock in locks_in(self._forbidden(rule))}
            if not named & forbidden:
                sayings = (*map(self._rule, rules), *map(self._claim, claims))
                yield Drift("assertion", about, "the rule and the assertion forbid different locks", sayings)
        elif claims:
            message = "the function asserts that locks are not held, and no rule is about it"
            yield Drift("unruled", about, message, tuple(map(self._claim, claims)))

    # -- comments ---------------------------------------------------------------------------------------------------

    def comments(self, texts: Texts, files: frozenset[str]) -> Iterator[Drift]:
        """Yield comments above functions that name other locks than rules and assertions do.

        `files` are those in which a comment that nothing else says is worth a note.
        """
        for ident, function in sorted(self._linked.program.functions.items()):
            text = texts.read(function.ref.location.file)
            comment = comment_above(text.splitlines(True), function.ref.first_line) if text else None
            if comment is not None:
                place = Location(function.ref.location.file, comment.line)
                yield from self._comment(ident, plain(comment.text), place, function.ref.location.file in files)

    def _comment(self, ident: str, text: str, place: Location, worth_a_note: bool) -> Iterator[Drift]:
        name = self._name(ident)
        for said in of_locks(text):
            locks = {lock for word in said.locks if (lock := self._known.lock(word)) is not None}
            if "call" not in said.about or not locks or (said.functions and name not in said.functions):
                continue
            saying = Saying("comment", said.text, place)
            rules = self._must.get(name, [])
            claims = [claim for claim in self._claims.get(ident, []) if not claim.negated]
            named = {lock for rule in rules for lock in locks_in(self._required(rule))}
            named |= {lock for claim in claims for lock in locks_in(claim.requires)}
            others = (*map(self._rule, rules), *map(self._claim, claims))
            if named and not named & locks:
                yield Drift("comment", f"{name}()", "the comment names another lock", (*others, saying))
            elif not named and worth_a_note:
                message = "a comment names a lock, and neither a rule nor an assertion does"
                yield Drift("unruled", f"{name}()", message, (saying,))

    # -- words ------------------------------------------------------------------------------------------------------

    def _name(self, ident: str) -> str:
        return self._linked.program.functions[ident].name

    def _required(self, rule: Rule) -> Requirement:
        assert isinstance(rule.check, MustHold)
        return self._names.requirement(rule.check.requires, rule.location)

    def _forbidden(self, rule: Rule) -> Requirement:
        assert isinstance(rule.check, MustNotHold)
        return self._names.requirement(rule.check.forbids, rule.location)

    def _rule(self, rule: Rule) -> Saying:
        return Saying("rule", f"{rule.id}: {demand(rule)}", rule.location)

    def _claim(self, claim: Contract) -> Saying:
        word = "not " if claim.negated else ""
        rest = " or something else" if claim.rest else ""
        place = place_of(self._linked.program, claim.function, claim.at)
        return Saying("assertion", f"{claim.form}: {word}{spell(claim.requires)}{rest}", place)


def _pointer_lines(facts: FunctionFacts) -> set[int]:
    return {
        event.at.line
        for block in facts.ir.blocks
        for event in block.events
        if isinstance(event, Claim) and isinstance(event.statement, Asked) and event.statement.function == _POINTER
    }


def _is_always(ir: FunctionIR, at: At) -> bool:
    """Tell whether every way from the entry to a return goes by the claim at `at`."""
    claimed = {
        number
        for number, block in enumerate(ir.blocks)
        if any(isinstance(event, Claim) and event.at == at for event in block.events)
    }
    seen, work = {0}, [0]
    while work:
        block = work.pop()
        if block in claimed:
            continue
        if isinstance(ir.blocks[block].terminator, Return):
            return False
        fresh = [after for after in successors_of(ir.blocks[block]) if after not in seen]
        seen.update(fresh)
        work += fresh
    return True
