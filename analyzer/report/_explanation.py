# SPDX-License-Identifier: GPL-2.0-only
"""An explanation for people: the table a maintainer would write into a mail.

In: `Explanation`. Out: the rules that speak about the target, then for each access where it stands, which ways lead
there and which locks are held, with the place where each is taken.

    kvm_memory_slot.gmem.file

    4 writes in 3 functions
      kvm_gmem_bind() 2x  proven  address_space.invalidate_lock + kvm.slots_lock
      kvm_gmem_release()  proven  address_space.invalidate_lock + kvm.slots_lock

    rules
      kvm/gmem-file-write  write needs kvm.slots_lock
                           lockspecs/kvm/guest_memfd.yaml:5, after include/linux/kvm_host.h, struct kvm_memory_slot

    writes
      kvm_gmem_release()  virt/kvm/guest_memfd.c:269  proven
        kvm.slots_lock taken by kvm_gmem_release(), virt/kvm/guest_memfd.c:261
          kvm_gmem_release()
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.findings.claims import ClaimedBy
from analyzer.findings.explanation import Explanation, HeldFrom, RuleNote, Site, Way
from analyzer.report._sheet import Sheet, Span
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import count
from analyzer.report.text import add_finding, add_way

#: more combinations of locks than these are not listed on one line
_MAX_SETS = 3
_VERDICT_STYLES = {"proven": "green", "violation": "bold red", "unknown": "magenta"}


def render_explanation(explanation: Explanation, sources: SourceReader, style: Style) -> str:
    """Return the explanation as paragraphs for a person."""
    sheet = Sheet(style)
    sheet.add((explanation.target, "bold"))
    _add_overview(sheet, explanation.sites)
    _add_rules(sheet, explanation.rules)
    _add_contracts(sheet, explanation.contracts)
    for access in dict.fromkeys(site.access for site in explanation.sites):
        sheet.blank()
        sheet.add((f"{access}s", "bold"))
        for site in explanation.sites:
            if site.access == access:
                _add_site(sheet, site, style)
    for finding in explanation.findings:
        sheet.blank()
        add_finding(sheet, finding, sources)
    if explanation.notes:
        sheet.blank()
        for note in explanation.notes:
            sheet.add((f"note: {note}", ""), hang=6)
    return sheet.text()


def _add_overview(sheet: Sheet, sites: tuple[Site, ...]) -> None:
    """Add one line for each function: how often, and what all its ways hold."""
    for access in dict.fromkeys(site.access for site in sites):
        mine = [site for site in sites if site.access == access]
        groups: dict[str, list[Site]] = {}
        for site in mine:
            groups.setdefault(site.function, []).append(site)
        sheet.blank()
        sheet.add((f"{count(len(mine), access)} in {count(len(groups), 'function')}", "bold"))
        rows: list[tuple[Span, Sequence[Span]]] = []
        for name, alike in groups.items():
            verdict = _worst(alike)
            times = f" {len(alike)}x" if len(alike) > 1 else ""
            rows.append(
                ((f"{name}(){times}", "cyan"), [(verdict, _VERDICT_STYLES.get(verdict, "dim")), (_held_on(alike), "")])
            )
        sheet.rows(rows, indent=2)


def _worst(sites: Sequence[Site]) -> str:
    verdicts = {site.verdict for site in sites if site.ruled}
    return next((verdict for verdict in ("violation", "unknown", "proven") if verdict in verdicts), "no rule")


def _held_on(sites: Sequence[Site]) -> str:
    """Say which locks all ways to the places hold, and what lets the others do without."""
    ways = [way for site in sites for way in site.ways]
    held = [frozenset(lock.lock for lock in way.held) for way in ways]
    common = frozenset.intersection(*held) if held else frozenset[str]()
    bare = sum(not locks for locks in held)
    if common or not ways:
        return f"  {' + '.join(sorted(common))}".rstrip()
    some = " or ".join(dict.fromkeys(" + ".join(sorted(locks)) for locks in sorted(held, key=sorted) if locks))
    more = f"{some}; " if some and some.count(" or ") < _MAX_SETS else "with locks or without; " if some else ""
    cause = next((f": {way.cause}" for way in ways if not way.held and way.cause), "")
    return f"  {more}{'nothing on some ways' if some else 'nothing'}{cause}" if bare else f"  {more}".rstrip("; ")


def _add_rules(sheet: Sheet, rules: tuple[RuleNote, ...]) -> None:
    sheet.blank()
    if not rules:
        sheet.add(("no rule speaks about it", ""))
        return
    sheet.add(("rules", "bold"))
    width = max(len(rule.id) for rule in rules) + 2
    for rule in rules:
        sheet.labelled((rule.id, ""), width, (rule.requirement, ""), indent=2)
        if rule.why:
            sheet.labelled(("", ""), width, (rule.why, "dim"), indent=2)
        place = f"{rule.location}, after {rule.source}" if rule.source else str(rule.location)
        sheet.labelled(("", ""), width, (place, "dim"), indent=2)


def _add_contracts(sheet: Sheet, contracts: tuple[ClaimedBy, ...]) -> None:
    """Add what the function claims itself, with the verdict for each call of it."""
    if not contracts:
        return
    sheet.blank()
    sheet.add(("contracts", "bold"))
    for claim in contracts:
        verdict: Span = (claim.verdict, _VERDICT_STYLES[claim.verdict])
        sheet.add((claim.claim, "cyan"), (f"  {claim.location}  ", ""), verdict, indent=2, hang=4)
        for way in claim.ways:
            who = f"called by {way.function}()" if way.function else "in itself, or where it is entered"
            verdict = (way.verdict, _VERDICT_STYLES[way.verdict])
            sheet.add((f"{who}, {way.location}  ", ""), verdict, indent=4, hang=4)


def _add_site(sheet: Sheet, site: Site, style: Style) -> None:
    """Add a site; ways that hold the same locks from the same places stand together."""
    sheet.add(
        (f"{site.function}()", "cyan"),
        (f"  {site.location}  ", ""),
        (site.verdict, _VERDICT_STYLES[site.verdict]) if site.ruled else ("no rule speaks of it", "dim"),
        indent=2,
        hang=4,
    )
    alike: dict[tuple[tuple[HeldFrom, ...], str, str], list[Way]] = {}
    for way in site.ways:
        alike.setdefault((way.held, way.verdict, way.cause), []).append(way)
    for (held, verdict, cause), ways in alike.items():
        _add_held(sheet, held)
        if verdict != "proven" or cause:
            reason: list[Span] = [(verdict, _VERDICT_STYLES[verdict]), (f": {cause}" if cause else "", "")]
            sheet.add(*reason, indent=4, hang=4)
        for way in ways:
            _add_functions(sheet, way)
            if style.verbose:
                add_way(sheet, way.steps, "")
    if site.n_more_ways:
        sheet.add((f"and {count(site.n_more_ways, 'more way')}", "dim"), indent=6)


def _add_held(sheet: Sheet, held: tuple[HeldFrom, ...]) -> None:
    if not held:
        sheet.add(("nothing held", "bold"), indent=4)
    for lock in held:
        taken = f" taken by {lock.function}()" if lock.function else " held from the entry on"
        place = f", {lock.location}" if lock.location else ""
        sheet.add((lock.lock, "bold"), (f"{taken}{place}", ""), indent=4, hang=4)


def _add_functions(sheet: Sheet, way: Way) -> None:
    """Add a way as its functions, from the entry point inwards."""
    sheet.add((" > ".join(f"{name}()" for name in way.functions), ""), indent=6, hang=2)
