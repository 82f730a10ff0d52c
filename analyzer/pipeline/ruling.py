# SPDX-License-Identifier: GPL-2.0-only
"""Rules in words: what one is about, and what it asks for.

In: a rule. Out: `kvm_memory_slot.gmem.file`; `write needs kvm.slots_lock or refcount_read(&kvm->users_count) == 0`.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.analysis.names import lock_texts
from analyzer.findings.explanation import RuleNote
from analyzer.spec.model import (
    AllOf,
    AnyOf,
    Atomicity,
    Balance,
    Check,
    Context,
    GracePeriod,
    GuardedBy,
    Held,
    IrqSafety,
    LockOrder,
    MustHold,
    MustNotHold,
    Name,
    OnlyThrough,
    PrecededBy,
    Requirement,
    Rule,
    requirement_of,
)


def targets(rule: Rule) -> tuple[str, ...]:
    """Return what a rule speaks about, as targets."""
    match rule.check:
        case GuardedBy(fields):
            return tuple(str(field) for field in fields)
        case MustHold(functions):
            return tuple(f"{function}()" for function in functions)
        case MustNotHold(functions, fields):
            return (*(f"{function}()" for function in functions), *map(str, fields))
        case OnlyThrough(fields) | Atomicity(fields) | GracePeriod(fields):
            return tuple(map(str, fields))
        case PrecededBy(functions):
            return tuple(f"{function}()" for function in functions)
    return ()


def speaks_of(rule: Rule, access: str) -> bool:
    """Tell whether `rule` asks anything of an access of this kind."""
    match rule.check:
        case GuardedBy() | MustNotHold() | OnlyThrough():
            return access == "call" or rule.check.access in ("any", access)
    return True


def exemption(rules: list[Rule]) -> str:
    """Say what proves a way on which no lock of the rules is held; empty where no rule asks for one."""
    whens = [text for rule in rules for text in lock_texts(requirement_of(rule.check)) if "(" in text and "==" in text]
    fresh = ["nobody else can reach the object"] if any("unpublished" in rule.unless for rule in rules) else []
    return " or ".join([*dict.fromkeys(whens), *fresh])


def locks_of(check: Check) -> tuple[Name, ...]:
    """Return the locks that a check names: those that must or must not be held, be waited for, or be taken in order."""
    match check:
        case GuardedBy() | MustHold():
            return tuple(_held(check.requires))
        case MustNotHold():
            return tuple(_held(check.forbids))
        case Atomicity():
            return (check.lock,)
        case GracePeriod():
            return (*((check.readers,) if check.readers else ()), *(_held(check.updaters) if check.updaters else ()))
        case PrecededBy():
            return (check.lock,) if check.lock else ()
        case LockOrder():
            return (*check.order, *check.inside, *check.never, *check.leaves)
        case GracePeriod():
            updaters = _held(check.updaters) if check.updaters is not None else ()
            return (*((check.readers,) if check.readers else ()), *updaters)
        case Balance() | Context():
            return check.locks
        case IrqSafety():
            return (*check.hardirq, *check.softirq)
    return ()


def _held(requirement: Requirement) -> Iterator[Name]:
    match requirement:
        case AnyOf(parts) | AllOf(parts):
            for part in parts:
                yield from _held(part)
        case Held(lock):
            yield lock


def note(rule: Rule) -> RuleNote:
    """Return a rule for the reader of an explanation."""
    return RuleNote(rule.id, demand(rule), rule.why, rule.source, rule.location)


def demand(rule: Rule) -> str:
    """Say what a rule asks for: `write needs kvm.slots_lock`."""
    check = rule.check
    match check:
        case GuardedBy():
            return f"{_any(check.access)} needs {spell(check.requires)}"
        case MustHold():
            return f"call needs {spell(check.requires)}"
        case MustNotHold():
            return f"no {'call' if check.functions else _any(check.access)} with {_together(check.forbids)} held"
        case OnlyThrough():
            return f"{_any(check.access)} only in {' and '.join(f'{name}()' for name in check.functions)}"
        case Atomicity():
            return f"no use of what was read before {check.lock} was dropped and taken again"
        case PrecededBy():
            about = f" of {check.lock}" if check.lock else ""
            return f"call only after {' or '.join(f'{name}()' for name in check.earlier)}{about}"
        case GracePeriod() if check.readers is not None:
            return f"readers are inside {check.readers}, where updaters wait for them"
        case LockOrder():
            return _order(check)
        case Context():
            return f"no {check.forbids} under {_names(check.locks)}" if check.locks else f"no {check.forbids}"
        case GracePeriod() if check.readers:
            updaters = f", or under {spell(check.updaters)}" if check.updaters else ""
            return f"read only in a section of {check.readers}{updaters}"
        case Balance():
            return f"taken and dropped evenly: {_names(check.locks)}" if check.locks else "all locks, evenly"
    return rule.title or rule.id


def _order(check: LockOrder) -> str:
    if check.order:
        return f"{' outside '.join(map(str, check.order))}"
    if check.leaves:
        return "no lock is taken inside it"
    return f"inside {_names(check.inside)}, neither taken nor waited for: {', '.join(map(str, check.never))}"


def _together(forbids: Requirement) -> str:
    return (" together with " if isinstance(forbids, AllOf) else " or ").join(lock_texts(forbids))


def spell(requirement: Requirement, within: str = "") -> str:
    """Say a requirement in one line, its parts as the rule writes them; `within` is the word between the parts around."""
    match requirement:
        case AnyOf(parts) | AllOf(parts) if len(parts) > 1:
            word = "or" if isinstance(requirement, AnyOf) else "and"
            text = f" {word} ".join(spell(part, word) for part in parts)
            return f"({text})" if within and within != word else text
        case AnyOf(parts) | AllOf(parts):
            return spell(parts[0], within) if parts else "nothing"
    return next(iter(lock_texts(requirement)))


def _names(names: tuple[Name, ...]) -> str:
    return " or ".join(map(str, names))


def _any(access: str) -> str:
    return "any access" if access == "any" else access
