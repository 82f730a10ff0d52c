# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel's documentation and comments say about locks, held against the rules.

In: `{source: …/locking.rst:233, says: kvm_lock protects vm_list, rules: [kvm/vm-list]}`. Out: `Statement`; the page that
lists all of them, with the rules that say the same or why there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.base.errors import SpecError
from analyzer.spec.errors import CombinedSpecError
from analyzer.spec.mapping import Key, Map
from analyzer.spec.model import SpecSet
from analyzer.spec.said import Statement
from analyzer.spec.shapes import ListOf, Located, Schema, Text
from analyzer.spec.suggest import did_you_mean
from analyzer.spec.tree import Node

_RULE = Text("a rule id, subsystem/name", r"[a-z][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*")

SOURCE = Key("source", Text("a file and a line", r"\S+:[0-9]+"), "where the kernel says it", required=True)
SAYS = Key("says", Text(), "what it says, in our words", required=True)
RULES = Key("rules", ListOf(Located(_RULE), "rule ids"), "the rules that say it", default=())
UNSTATED = Key("unstated", Text(), "why no rule says it, or what the rules leave out", default="")
STATEMENT_ROW = Map("a statement", (SOURCE, SAYS, RULES, UNSTATED))


class StatementShape:
    """An item of `statements:`."""

    def read(self, node: Node, _label: str) -> Statement:
        """Return the row."""
        fields = STATEMENT_ROW.read(node)
        if not fields[RULES] and not fields[UNSTATED]:
            raise SpecError("a statement needs the key 'rules' or 'unstated'", node.location)
        source, says, unstated = (" ".join(fields[key].split()) for key in (SOURCE, SAYS, UNSTATED))
        return Statement(source, says, fields[RULES], unstated, node.location)

    def schema(self) -> Schema:
        """Describe a row."""
        return STATEMENT_ROW.schema()


def coverage_page(spec: SpecSet, subsystem: str) -> str:
    """Return, in Markdown, what the kernel says of `subsystem` and which rules say the same."""
    known = {rule.id: rule for rule in spec.rules}
    errors = [
        SpecError(f"no rule '{rule}'{did_you_mean(rule, known)}", place)
        for statement in spec.statements
        for rule, place in statement.rules
        if rule not in known
    ]
    if errors:
        raise CombinedSpecError(errors)
    stated = [s for s in spec.statements if s.rules]
    told = {rule for s in stated for rule, _ in s.rules}
    lines = [
        "<!-- SPDX-License-Identifier: GPL-2.0-only -->",
        "<!-- made by `lockspec spec coverage`; edit lockspecs/ instead -->",
        f"# What is said about {subsystem}'s locks, and the rules that say the same",
        "",
        _numbers(spec.statements, stated),
        "",
        *_table(spec.statements),
        "",
        "## Rules without such a sentence",
        "",
        "They say what assertions and dereferences in the code say, or what all of the code does.",
        "",
        *_others(spec, subsystem, told),
        *_assumed(spec, subsystem),
    ]
    return "\n".join(lines) + "\n"


def _numbers(statements: Sequence[Statement], stated: Sequence[Statement]) -> str:
    partly = sum(bool(s.unstated) for s in stated)
    left = len(statements) - len(stated)
    return f"{len(statements)} statements: {len(stated)} are rules, {partly} of these in part; {left} are none."


def _table(statements: Iterable[Statement]) -> Iterable[str]:
    yield "| where | what it says | rules |"
    yield "|---|---|---|"
    for s in sorted(statements, key=lambda s: (s.source.rpartition(":")[0], int(s.source.rpartition(":")[2]))):
        rules = ", ".join(f"`{rule}`" for rule, _ in s.rules)
        cell = f"{rules}; {s.unstated}" if rules and s.unstated else rules or f"none: {s.unstated}"
        yield f"| {s.source} | {_cell(s.says)} | {_cell(cell)} |"


def _others(spec: SpecSet, subsystem: str, told: set[str]) -> Iterable[str]:
    yield "| rule | about | after |"
    yield "|---|---|---|"
    for rule in sorted(spec.rules, key=lambda rule: rule.id):
        if rule.id.startswith(f"{subsystem.lower()}/") and rule.id not in told:
            yield f"| `{rule.id}` | {_cell(rule.title)} | {_cell(rule.source)} |"


def _assumed(spec: SpecSet, subsystem: str) -> Iterable[str]:
    rows = [one for one in spec.assumptions if one.id.startswith(f"{subsystem.lower()}/")]
    if not rows:
        return
    yield from ("", "## Assumed without proof", "")
    yield from ("No code on the way says it, so that verdicts on such ways hold only if it is so.", "")
    yield "| assumption | what is assumed | why it is so | after |"
    yield "|---|---|---|---|"
    for one in sorted(rows, key=lambda one: one.id):
        told = f"{one.title}: {one.text}" if one.title else one.text
        yield f"| `{one.id}` | {_cell(told)} | {_cell(one.why)} | {_cell(one.source)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
