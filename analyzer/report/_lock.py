# SPDX-License-Identifier: GPL-2.0-only
"""The explanation of a lock for people: a few lines that tell most, then the lists they are made of.

In: `LockExplanation`. Out: sections: what it protects, where it is taken, its order, what is taken and called under it.

    kvm.slots_lock

      write  taken in 17 places of 15 functions
      under it 12 locks are taken, 2 grace periods waited for; 1,204 functions run
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.findings.lock import Holder, LockExplanation, Other, Spoken, Taken
from analyzer.report._sheet import Sheet, Span
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import count, enumerate_all
from analyzer.report.text import add_finding

#: of each list so much is shown to those who do not ask for more: functions, and calls of one function
N_SHOWN, N_CALLS = 24, 8
_VERBS = {"read": "taken for reading", "write": "taken", "wait": "waited for"}


def render_lock(lock: LockExplanation, sources: SourceReader, style: Style) -> str:
    """Return the explanation as paragraphs for a person."""
    sheet = Sheet(style)
    same = lock.target == lock.lock
    sheet.add((lock.target, "bold"), ("" if same else f"  (lock class {lock.lock})", "dim"))
    sheet.blank()
    _add_overview(sheet, lock)
    _add_protected(sheet, lock.protects, style)
    _add_asserted(sheet, lock, style)
    for mode, verb in _VERBS.items():
        places = [one for one in lock.taken if one.mode == mode]
        if places:
            _add_taken(sheet, f"{verb}, {_places(places)}", places, style)
    _add_orders(sheet, lock.orders)
    _add_others(sheet, "taken under it", "under", [one for one in lock.inner if one.what == "lock"])
    _add_others(sheet, "grace periods waited for under it", "under", [o for o in lock.inner if o.what == "grace"])
    _add_others(sheet, "it is taken under", "inside", lock.outer)
    _add_others(sheet, "its holders are waited for under", "inside", lock.waited)
    _add_called(sheet, lock, style)
    for finding in lock.findings:
        sheet.blank()
        add_finding(sheet, finding, sources)
    if lock.notes:
        sheet.blank()
    for note in lock.notes:
        sheet.add((f"note: {note}", ""), hang=6)
    return sheet.text()


def _add_overview(sheet: Sheet, lock: LockExplanation) -> None:
    rows: list[tuple[Span, Sequence[Span]]] = []
    for mode, verb in _VERBS.items():
        places = [one for one in lock.taken if one.mode == mode]
        if places:
            rows.append(((verb, ""), [(_places(places), "")]))
    about = {name for one in lock.protects for name in one.about}
    fields = sum(not name.endswith("()") for name in about)
    parts = [count(n, noun) for n, noun in ((fields, "field"), (len(about) - fields, "function")) if n]
    rules = count(len(lock.protects), "rule")
    rows.append((("protects", ""), [(f"{enumerate_all(parts)} by {rules}" if parts else "nothing by any rule", "")]))
    locks = len({one.lock.removesuffix(" (read)") for one in lock.inner if one.what == "lock"})
    graces = len([one for one in lock.inner if one.what == "grace"])
    waits = f" and {count(graces, 'grace period')} waited for" if graces else ""
    rows.append(
        (("under it", ""), [(f"{count(len(lock.reached), 'function')} run, {count(locks, 'lock')} taken{waits}", "")])
    )
    if lock.findings:
        rows.append((("findings", ""), [(str(len(lock.findings)), "bold red")]))
    sheet.rows(rows, indent=2)


def _places(taken: Sequence[Taken]) -> str:
    places = sum(len(one.locations) for one in taken)
    functions = len({one.function for one in taken})
    tries = sum(len(one.locations) for one in taken if one.attempt)
    return f"in {count(places, 'place')} of {count(functions, 'function')}" + (
        f", {tries} of them tries" if tries else ""
    )


def _heading(sheet: Sheet, text: str) -> None:
    sheet.blank()
    sheet.add((text, "bold"))


def _add_protected(sheet: Sheet, protects: tuple[Spoken, ...], style: Style) -> None:
    if not protects:
        return
    _heading(sheet, "protects")
    for one in protects:
        shown = one.about if style.verbose else one.about[:N_CALLS]
        left = [f"{len(one.about) - len(shown)} more"] if len(shown) < len(one.about) else []
        sheet.add((enumerate_all((*shown, *left)), "cyan"), (f": {one.note.requirement}", ""), indent=2, hang=2)
        sheet.add((f"{one.note.id}{_counts(one)}", "dim"), indent=4, hang=2)


def _counts(one: Spoken) -> str:
    if one.count is None:
        return ""
    told = f"  {count(one.count.sites, one.count.noun)}: {one.count.proven} proven"
    told += f", {count(one.count.violations, 'violation')}" if one.count.violations else ""
    return told + (f", {one.count.unknown} unknown" if one.count.unknown else "")


def _add_asserted(sheet: Sheet, lock: LockExplanation, style: Style) -> None:
    if not lock.asserted:
        return
    functions = len({one.function for one in lock.asserted})
    _heading(sheet, f"claimed by the source, in {count(functions, 'function')}")
    shown = lock.asserted if style.verbose else lock.asserted[:N_SHOWN]
    for one in shown:
        sheet.add((f"{one.function}()", "cyan"), (f"  {one.form}: {one.says}  {one.location}", ""), indent=2, hang=4)
    _add_rest(sheet, len(lock.asserted) - len(shown), "claim")


def _add_taken(sheet: Sheet, heading: str, taken: Sequence[Taken], style: Style) -> None:
    _heading(sheet, heading)
    shown = taken if style.verbose else taken[:N_SHOWN]
    for one in shown:
        first, *more = one.locations
        where = f"{first}" + "".join(f", :{place.line}" for place in more)
        through = f"  by {' > '.join(f'{name}()' for name in one.through)}" if one.through else ""
        tried = "  a try" if one.attempt else ""
        sheet.add((f"{one.function}()", "cyan"), (f"  {where}{through}{tried}", ""), indent=2, hang=4)
    _add_rest(sheet, len(taken) - len(shown), "function")


def _add_orders(sheet: Sheet, orders: tuple[Spoken, ...]) -> None:
    if not orders:
        return
    _heading(sheet, "order by the rules")
    for one in orders:
        sheet.add((one.note.requirement, ""), indent=2, hang=2)
        sheet.add((f"{one.note.id}{_counts(one)}", "dim"), indent=4, hang=2)


def _add_others(sheet: Sheet, heading: str, word: str, others: Sequence[Other]) -> None:
    if not others:
        return
    _heading(sheet, heading)
    for one in others:
        functions = " > ".join(f"{name}()" for name in one.functions)
        held = (
            f"  {word} it in {count(one.n_holders, 'function')}"
            if word == "under"
            else f"  in {count(one.n_holders, 'function')}"
        )
        sheet.add((one.lock, "cyan"), (held, ""), indent=2, hang=2)
        sheet.add((f"{functions}  {one.location}", "dim"), indent=4, hang=4)
        if one.doubt:
            sheet.add((f"perhaps not: {one.doubt}", "magenta"), indent=4, hang=4)


def _add_called(sheet: Sheet, lock: LockExplanation, style: Style) -> None:
    if lock.entered:
        _heading(sheet, "held on entry to")
        sheet.add((", ".join(f"{name}()" for name in lock.entered), ""), indent=2)
    if not lock.holders:
        return
    _heading(sheet, f"called under it, by {count(len(lock.holders), 'function')}; {len(lock.reached):,} run in all")
    shown = lock.holders if style.verbose else lock.holders[:N_SHOWN]
    for one in shown:
        sheet.add((f"{one.function}()", "cyan"), (f"  {_calls(one, style)}", ""), indent=2, hang=4)
    _add_rest(sheet, len(lock.holders) - len(shown), "function")


def _calls(holder: Holder, style: Style) -> str:
    shown = holder.calls if style.verbose else holder.calls[:N_CALLS]
    told = ", ".join(f"{name}(){' sometimes' if name in holder.sometimes else ''}" for name in shown)
    left = len(holder.calls) - len(shown)
    return told + (f" and {left} more" if left else "")


def _add_rest(sheet: Sheet, n_left: int, noun: str) -> None:
    if n_left:
        sheet.add((f"and {count(n_left, f'more {noun}')}; --verbose shows all", "dim"), indent=2)
